package rules

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/event"
)

func TestParseDuration(t *testing.T) {
	day := 24 * time.Hour
	for s, want := range map[string]time.Duration{
		"1s": time.Second, "15m": 15 * time.Minute, "24h": day, "120d": 120 * day, "2880h": 120 * day,
	} {
		if got, err := parseDuration(s); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "5", "m", "0m", "-1m", "+1m", "1.5h", "1h30m", " 1m", "1m ", "1M", "1w", "121d", "2881h", "99999999999s", "1_000s", "٣m"} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"uuid", "email", "name", "service", "secure-copy", "success", "updatfw"}
	for written, want := range map[string]string{
		"uid": "uuid", "emial": "email", "EMAIL": "email", "nmae": "name", "servise": "service", "secure_copy": "secure-copy",
		"updatefw": "updatfw", "x": "", "": "", "weather": "", strings.Repeat("name", 100): "",
	} {
		if got := nearest(written, known); got != want {
			t.Errorf("%s: %q, want %q", written, got, want)
		}
	}
}

// The number of edits is a distance.
func TestEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SliceOfN(rapid.SampledFrom([]rune("abé")), 0, 6)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		d := edits(a, b, 100)
		if d != edits(b, a, 100) {
			t.Fatal("not the same both ways")
		}
		if (d == 0) != slices.Equal(a, b) {
			t.Fatalf("%d edits", d)
		}
		if d > max(len(a), len(b)) {
			t.Fatalf("%d edits for at most %d letters", d, max(len(a), len(b)))
		}
		if limited := edits(a, b, 2); limited != min(d, 2) {
			t.Fatalf("%d with a limit of 2, %d without", limited, d)
		}
	})
}

func TestDistanceKM(t *testing.T) {
	at := func(lat, lon float64) event.Location {
		return event.Location{Latitude: lat, Longitude: lon, Known: true}
	}
	// London to Paris is 344 km, half the equator 20,015 km.
	for _, c := range []struct {
		a, b event.Location
		want float64
	}{
		{at(52.52, 13.405), at(52.52, 13.405), 0},
		{at(51.5074, -0.1278), at(48.8566, 2.3522), 344},
		{at(0, 0), at(0, 180), 20015},
		{at(0, 179.5), at(0, -179.5), 111.2},
	} {
		if got := distanceKM(c.a, c.b); math.Abs(got-c.want) > 1 {
			t.Errorf("%v to %v: %.0f km, want %.0f", c.a, c.b, got, c.want)
		}
	}
	if got := distanceKM(at(1, 1), event.Location{}); !math.IsNaN(got) {
		t.Errorf("a distance of %v to nowhere", got)
	}
}

func TestDomain(t *testing.T) {
	for email, want := range map[string]string{"a@Example.Test": "example.test", "a@b@c": "c", "a": "", "": "", "a@": ""} {
		if got := domain(email); got != want {
			t.Errorf("%q: %q, want %q", email, got, want)
		}
	}
}

// A key gives back what it was built of, and different things make different keys.
func TestKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab\x00\x01]{0,3}`)
		source, parts := text.Draw(t, "source"), rapid.SliceOfN(text, 0, 3).Draw(t, "parts")
		k := NewKey(source, parts...)
		gotSource, gotParts := k.Split()
		if gotSource != source || !slices.Equal(gotParts, parts) {
			t.Fatalf("%q %q becomes %q %q", source, parts, gotSource, gotParts)
		}
		otherSource, otherParts := text.Draw(t, "other source"), rapid.SliceOfN(text, 0, 3).Draw(t, "other parts")
		same := source == otherSource && slices.Equal(parts, otherParts)
		if (NewKey(otherSource, otherParts...) == k) != same {
			t.Fatalf("%q %q and %q %q", source, parts, otherSource, otherParts)
		}
	})
}
