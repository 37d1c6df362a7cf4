package onepassword

import (
	"bytes"
	"encoding/json"
	"testing"

	"watchword/bus/event"
)

func TestDecodePage(t *testing.T) {
	tests := []struct {
		name, body string
		items      int
		ok         bool
	}{
		{"usual", `{"cursor":"c","has_more":true,"items":[{"a":1},{}]}`, 2, true},
		{"empty", `{"cursor":"c","has_more":false,"items":[]}`, 0, true},
		{"null items", `{"cursor":"c","has_more":false,"items":null}`, 0, true},
		{"no items", `{"cursor":"c"}`, 0, true},
		{"items that are no objects", `{"cursor":"c","items":[null,1,"x"]}`, 3, true},
		{"no cursor", `{"items":[]}`, 0, false},
		{"null cursor", `{"cursor":null,"items":[]}`, 0, false},
		{"items no list", `{"cursor":"c","items":{}}`, 0, false},
		{"two values", `{"cursor":"c"}{}`, 0, false},
		{"cut", `{"cursor":"c","items":[{"a"`, 0, false},
		{"nothing", ``, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := DecodePage([]byte(tt.body))
			if (err == nil) != tt.ok || len(p.Items) != tt.items {
				t.Errorf("have %d items, %v", len(p.Items), err)
			}
		})
	}
}

func TestSalvageCursor(t *testing.T) {
	for body, want := range map[string]string{
		`{"cursor":"abc","items":[{"x":`:                      "abc",
		`{"items":[{"x":}],"cursor" : "abc"`:                  "abc",
		`{"items":[{"name":"\"cursor\":\"evil\""}`:            "",
		`{"cursor":"abc","items":[{"cursor":"evil"}`:          "",
		`{"cursor":"","items":[`:                              "",
		`{"items":[{"n":"a\"cursor\":\"b"}],"cursor":"abc" x`: "abc",
	} {
		if have := SalvageCursor([]byte(body)); have != want {
			t.Errorf("%s: want %q, have %q", body, want, have)
		}
	}
}

// FuzzDecodePage reads pages that a server may send, and every record of them.
func FuzzDecodePage(f *testing.F) {
	for _, s := range []string{
		`{"cursor":"c","has_more":true,"items":[{"uuid":"A","timestamp":"2026-05-04T08:15:02.113Z","details":null}]}`,
		`{"cursor":"c","items":[{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","aux_id":0,"session":{"login_time":"x"}}]}`,
		`{"cursor":"c","items":[{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","used_version":4294967296,"location":{"latitude":1e400}}]}`,
		`{"cursor":"c","items":[null,[],{},"\ud800",1]}`,
		`{"cursor":"c","items":null}`, `[]`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := DecodePage(body)
		if err != nil {
			_ = SalvageCursor(body)
			return
		}
		if p.Cursor == "" {
			t.Fatal("a page without cursor was accepted")
		}
		for _, raw := range p.Items {
			if !json.Valid(raw) || !bytes.Contains(body, raw) {
				t.Fatalf("the record %q has not its own bytes", raw)
			}
			for _, feed := range event.Feeds {
				head, err := event.ReadHead(feed, raw)
				if err == nil && (head.UUID == "" || head.Timestamp.IsZero()) {
					t.Fatalf("a head without uuid or time: %+v", head)
				}
			}
		}
	})
}
