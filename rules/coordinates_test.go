package rules

import (
	"testing"

	"pgregory.net/rapid"
)

// What a place writes, it reads back the same.
func TestCoordinates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Coordinates{rapid.Float64Range(-90, 90).Draw(t, "latitude"), rapid.Float64Range(-180, 180).Draw(t, "longitude")}
		if back, ok := ParseCoordinates(c.String()); !ok || back != c {
			t.Fatalf("%v was read back as %v from %q", c, back, c.String())
		}
	})
	for _, s := range []string{"", ",", "1", "1,", ",1", "91,0", "0,-181", "NaN,0", "0,Inf", "1,2,3", "a,b", " 1,2"} {
		if c, ok := ParseCoordinates(s); ok {
			t.Errorf("%q was read as %v", s, c)
		}
	}
}

// Travel without a place is counted as nothing: it is no event without a key.
func TestTravelCounts(t *testing.T) {
	m := load(t, map[string]string{"r": `travel(signin.outcome == "success", 900) | by(client.ip) | within("1h")`}).Matcher()
	f := signin("bob", "success")
	told(m, f) // neither key nor place
	f.Client.IP = "192.0.2.1"
	told(m, f) // no place
	f.Location.Known = true
	told(m, f)
	if s := m.Stats()[0]; s.Matched != 1 || s.Keyless != 1 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}
