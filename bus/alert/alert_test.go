package alert

import (
	"reflect"
	"testing"
	"time"
)

func TestRoundTrip(t *testing.T) {
	at := time.Date(2026, 5, 4, 8, 15, 2, 113e6, time.UTC)
	want := Alert{
		ID: ID("r", "v", "k", "e"), Status: Opened, Revision: 1, Rule: "r", Version: "v", Title: "T", Severity: High,
		Source: "acme", Key: []string{"mallory"}, KeyNames: []string{"user.uuid"}, First: at, Last: at.Add(time.Minute), Count: 2,
		Steps:    []Step{{Name: "failed", Count: 2}},
		Evidence: []Evidence{{ID: "acme/signinattempts/A", Seq: 7, Step: "failed", Time: at}},
		People:   []Person{{UUID: "mallory"}}, Places: []Place{{IP: "203.0.113.24"}},
		Staged: true, Generation: 3, Position: 9, Decided: at,
	}
	b, err := want.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"not JSON":  `{`,
		"no id":     `{"rule":"r","status":"opened"}`,
		"no rule":   `{"id":"i","status":"opened"}`,
		"no status": `{"id":"i","rule":"r"}`,
	} {
		if a, err := Decode([]byte(data)); err == nil {
			t.Errorf("%s: decoded as %+v", name, a)
		}
	}
}

// An id depends on every part, and parts cannot run into each other.
func TestID(t *testing.T) {
	seen := map[string][4]string{}
	for _, parts := range [][4]string{
		{"a", "b", "c", "d"}, {"ab", "", "c", "d"}, {"a", "bc", "", "d"}, {"a", "b", "cd", ""}, {"a", "b", "c", "e"}, {"", "ab", "c", "d"},
	} {
		id := ID(parts[0], parts[1], parts[2], parts[3])
		if len(id) != 24 {
			t.Errorf("id %q has %d characters, want 24", id, len(id))
		}
		if other, dup := seen[id]; dup {
			t.Errorf("%q and %q have the same id", parts, other)
		}
		seen[id] = parts
	}
}
