package event

import (
	"bytes"
	stdjson "encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"
)

func sample(tb testing.TB, feed Feed) Event {
	tb.Helper()
	raw, err := os.ReadFile("testdata/" + string(feed.Kind()) + ".json")
	if err != nil {
		tb.Fatal(err)
	}
	raw = bytes.TrimSpace(raw)
	h, err := ReadHead(feed, raw)
	if err != nil {
		tb.Fatal(err)
	}
	return Event{
		ID: ID("acme", feed, h.UUID), Type: TypeOnePassword, Kind: feed.Kind(), Source: "acme",
		Account: h.AccountUUID, Time: h.Timestamp, Received: h.Timestamp.Add(time.Minute), Raw: raw,
	}
}

func TestEnvelopeRoundTrip(t *testing.T) {
	for _, feed := range Feeds {
		want := sample(t, feed)
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Raw) != string(want.Raw) {
			t.Errorf("%s: the raw object changed:\n got %s\nwant %s", feed, got.Raw, want.Raw)
		}
		got.Raw, want.Raw = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", feed, got, want)
		}
	}
}

// The API's object is evidence: not a byte of it changes in the store.
func TestRawIsUntouched(t *testing.T) {
	raw := `{ "uuid" : "A<B>&\u003c\/",` + "\n\t" + `"timestamp":"2026-05-04T08:15:02.10Z", "n": 1.50e1 }`
	e := Event{ID: "a/itemusages/A", Kind: KindItem, Source: "a", Time: time.Unix(1, 0).UTC(), Raw: []byte(raw)}
	b, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	if string(got.Raw) != raw {
		t.Errorf("\n got %s\nwant %s", got.Raw, raw)
	}
	if !stdjson.Valid(b) {
		t.Errorf("not valid JSON: %s", b)
	}
}

func TestFieldsOfSignin(t *testing.T) {
	e := sample(t, FeedSigninAttempts)
	f, err := e.Fields()
	if err != nil {
		t.Fatal(err)
	}
	want := Fields{
		ID: "acme/signinattempts/QZ3LM7TYB2RVKD5WXN4HCJ6AEU", Kind: "signin", Source: "acme",
		Time: time.Date(2026, 5, 4, 8, 15, 2, 113e6, time.UTC),
		User: User{UUID: "H4NJX2CQ7WLTZ5KBRM3DVYS6AE", Name: "Ines Okafor", Email: "ines@example.test"},
		Client: Client{
			IP: "203.0.113.24", AppName: "1Password for Mac", AppVersion: "81102034", PlatformName: "ines-mbp",
			PlatformVersion: "Mac15,3", OSName: "MacOSX", OSVersion: "15.4",
		},
		Location: Location{Country: "CA", Region: "Ontario", City: "Ottawa", Latitude: 45.42, Longitude: -75.69, Known: true},
		Signin: Signin{
			Category: "firewall_failed", Type: "country_blocked", Country: "CA", Details: "CA",
			SessionUUID: "R5TQ2WNBHX7CJ4KLMZ6DVYA3SE", Outcome: OutcomeFailure,
		},
	}
	if f != want {
		t.Errorf("\n got %+v\nwant %+v", f, want)
	}
}

func TestFieldsOfItem(t *testing.T) {
	e := sample(t, FeedItemUsages)
	f, err := e.Fields()
	if err != nil {
		t.Fatal(err)
	}
	if want := (Item{Action: "secure-copy", VaultUUID: "k3vq7ytbz2wnhx5cjr4mld6aee", ItemUUID: "t5xq2bn7hwz4kcjrm6dlvya3se", UsedVersion: 12}); f.Item != want {
		t.Errorf("item %+v, want %+v", f.Item, want)
	}
	if f.User.Type != "external_user" || f.Account != "Y4ZQT7XNBH2WCJ5KRLM6DVA3SE" || f.Client.IP != "198.51.100.7" {
		t.Errorf("user %+v account %q client %+v", f.User, f.Account, f.Client)
	}
}

func TestFieldsOfAudit(t *testing.T) {
	e := sample(t, FeedAuditEvents)
	f, err := e.Fields()
	if err != nil {
		t.Fatal(err)
	}
	want := Audit{
		Action: "join", ObjectType: "gm", ObjectUUID: "hx4kq7tbnz2wcj5rlm6dvya3se", AuxID: 5520417,
		AuxUUID: "T7XQBN2HWZ4KCJ5RLM6DVYA3SE", AuxInfo: "A",
		Aux:         Person{UUID: "T7XQBN2HWZ4KCJ5RLM6DVYA3SE", Name: "Pavel Lindqvist", Email: "pavel@example.test"},
		SessionUUID: "R5TQ2WNBHX7CJ4KLMZ6DVYA3SE", DeviceUUID: "z4kcjrm6dlvya3set5xq2bn7hw",
	}
	if f.Audit != want {
		t.Errorf("\n got %+v\nwant %+v", f.Audit, want)
	}
	if f.Client.IP != "203.0.113.24" || f.User.Type != "user" {
		t.Errorf("client %+v user %+v", f.Client, f.User)
	}
}

// What is optional may be absent, null or empty; the fields are then zero.
func TestOptionalFields(t *testing.T) {
	for _, c := range []struct {
		name string
		feed Feed
		raw  string
		want func(f Fields) bool
	}{
		{"sign-in with nothing but its head", FeedSigninAttempts, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z"}`,
			func(f Fields) bool {
				return f.User == User{} && f.Signin.Outcome == OutcomeFailure && !f.Location.Known
			}},
		{"details null", FeedSigninAttempts, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","details":null,"location":null,"client":null,"target_user":null}`,
			func(f Fields) bool { return f.Signin.Details == "" }},
		{"reported by the firewall is a success", FeedSigninAttempts, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","category":"firewall_reported_success"}`,
			func(f Fields) bool { return f.Signin.Outcome == OutcomeSuccess }},
		{"a category nobody knows yet is no success", FeedSigninAttempts, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","category":"new_one"}`,
			func(f Fields) bool { return f.Signin.Outcome == OutcomeFailure && f.Signin.Category == "new_one" }},
		{"one coordinate is no place", FeedItemUsages, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","location":{"latitude":4.5}}`,
			func(f Fields) bool { return !f.Location.Known && f.Location.Latitude == 0 }},
		{"the equator is a place", FeedItemUsages, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","location":{"latitude":0,"longitude":0}}`,
			func(f Fields) bool { return f.Location.Known }},
		{"actor without details", FeedAuditEvents, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","actor_uuid":"U","aux_id":0}`,
			func(f Fields) bool { return f.User.UUID == "U" }},
		{"a text without end is cut, whole runes", FeedItemUsages, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","user":{"name":"x` + strings.Repeat("é", MaxText) + `"}}`,
			func(f Fields) bool { return f.User.Name == "x"+strings.Repeat("é", MaxText/2-1) }},
		{"service account", FeedItemUsages, `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","user":{"email":"x@1PasswordServiceAccounts.com"}}`,
			func(f Fields) bool { return f.User.Service }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := ReadHead(c.feed, []byte(c.raw))
			if err != nil {
				t.Fatal(err)
			}
			e := Event{ID: ID("acme", c.feed, h.UUID), Kind: c.feed.Kind(), Source: "acme", Time: h.Timestamp, Raw: []byte(c.raw)}
			f, err := e.Fields()
			if err != nil {
				t.Fatal(err)
			}
			if !c.want(f) {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestCountry(t *testing.T) {
	for in, want := range map[string]string{
		"CA": "CA", "Canada": "CA", "United States": "US", "Russia": "RU", "South Korea": "KR", "de": "DE",
		"": "", "  ": "", "Atlantis": "Atlantis", "XX": "XX", "Viet Nam": "VN", "United Kingdom": "GB", "Czechia": "CZ",
	} {
		if got := Country(in); got != want {
			t.Errorf("Country(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestReadHeadRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"not JSON":          `{`,
		"no uuid":           `{"timestamp":"2026-05-04T08:15:02Z"}`,
		"no timestamp":      `{"uuid":"A"}`,
		"timestamp no date": `{"uuid":"A","timestamp":"yesterday"}`,
		"user is a number":  `{"uuid":"A","timestamp":"2026-05-04T08:15:02Z","target_user":7}`,
		"an array":          `[]`,
		"uuid without end":  `{"uuid":"` + strings.Repeat("A", MaxUUID+1) + `","timestamp":"2026-05-04T08:15:02Z"}`,
	} {
		if h, err := ReadHead(FeedSigninAttempts, []byte(raw)); err == nil {
			t.Errorf("%s: read as %+v", name, h)
		}
	}
	if _, err := ReadHead("other", []byte(`{"uuid":"A","timestamp":"2026-05-04T08:15:02Z"}`)); err == nil {
		t.Error("an unknown feed was read")
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := `{"id":"a/signinattempts/A","type":"onepassword","kind":"signin","source":"a","time":"2026-05-04T08:15:02Z","received":"2026-05-04T08:15:02Z","raw":{}}`
	if _, err := Decode([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	for _, cut := range []string{`"id":"a/signinattempts/A",`, `"kind":"signin",`, `"source":"a",`, `"time":"2026-05-04T08:15:02Z",`, `,"raw":{}`} {
		if e, err := Decode([]byte(strings.Replace(whole, cut, "", 1))); err == nil {
			t.Errorf("without %s: decoded as %+v", cut, e)
		}
	}
}

func TestProgressRoundTrip(t *testing.T) {
	at := time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)
	want := Progress{
		Source: "acme", Feed: FeedItemUsages, Cursor: "c", APIVersion: "v2", First: at, Start: at.Add(-time.Hour), Watermark: at,
		Covered: []Interval{{at.Add(-time.Hour), at}}, Sweeps: map[string]time.Time{"day": at}, Polled: at, Counts: Counts{Events: 3, Late: 1},
	}
	b, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeProgress(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if _, err := DecodeProgress([]byte(`{"source":"acme","feed":"other"}`)); err == nil {
		t.Error("an unknown feed was read")
	}
}

// The decoder is not the standard library's, for speed; on every input the two
// must agree on whether it can be read and on what it says.
func FuzzEnvelope(f *testing.F) {
	for _, feed := range Feeds {
		e := sample(f, feed)
		b, err := e.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"id":"a","kind":"audit","source":"s","time":"2026-05-04T08:15:02.5+02:00","raw":{"action":"x","action":"y"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		if err != nil {
			return
		}
		var std Event
		if serr := stdjson.Unmarshal(data, &std); serr != nil {
			t.Fatalf("read %q, which the standard library refuses: %v", data, serr)
		}
		if !sameEvent(&e, &std) {
			t.Fatalf("read %q as\n     %+v\nwant %+v", data, e, std)
		}
		fields, ferr := e.Fields()
		again, aerr := e.Fields()
		if (ferr == nil) != (aerr == nil) || ferr == nil && fields != again {
			t.Fatalf("two readings of %q differ", data)
		}
		b, err := e.Encode()
		if err != nil {
			return // a time outside what JSON can hold
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatalf("wrote %q, which cannot be read: %v", b, err)
		}
		if back.ID != e.ID || !back.Time.Equal(e.Time) {
			t.Fatalf("wrote %+v, read %+v", e, back)
		}
	})
}

func sameEvent(a, b *Event) bool {
	return a.ID == b.ID && a.Type == b.Type && a.Kind == b.Kind && a.Source == b.Source && a.Account == b.Account &&
		a.Time.Equal(b.Time) && a.Received.Equal(b.Received) && a.Historical == b.Historical &&
		a.TimeSuspect == b.TimeSuspect && a.Late == b.Late && string(a.Raw) == string(b.Raw)
}

func BenchmarkDecode(b *testing.B) {
	for _, feed := range Feeds {
		e := sample(b, feed)
		data, err := e.Encode()
		if err != nil {
			b.Fatal(err)
		}
		b.Run("envelope/"+string(e.Kind), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("fields/"+string(e.Kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Fields(); err != nil {
					b.Fatal(err)
				}
			}
		})
		// The machine's own limit: scanning the same bytes without keeping anything.
		b.Run("scan/"+string(e.Kind), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if !json.Valid(data) {
					b.Fatal("not valid")
				}
			}
		})
	}
}
