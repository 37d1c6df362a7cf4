package main

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for _, c := range []struct {
		in   string
		want time.Duration
		ok   bool
	}{
		{"90s", 90 * time.Second, true},
		{"1h30m", 90 * time.Minute, true},
		{"30d", 30 * day, true},
		{"0s", 0, true},
		{"", 0, false},
		{"d", 0, false},
		{"1.5d", 0, false},
		{"-1d", 0, false},
		{"-5m", 0, false},
		{"99999999999d", 0, false},
		{"thirty", 0, false},
		{"30", 0, false},
	} {
		got, err := parseSpan(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("parseSpan(%q): want %v, ok %v; got %v, %v", c.in, c.want, c.ok, got, err)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for _, c := range []struct {
		in   string
		want uint64
		ok   bool
	}{
		{"1024", 1024, true},
		{"512MiB", 512 << 20, true},
		{"8 GiB", 8 << 30, true},
		{"8GB", 0, false},
		{"-1", 0, false},
		{"99999999TiB", 0, false},
		{"", 0, false},
	} {
		got, err := parseBytes(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("parseBytes(%q): want %d, ok %v; got %d, %v", c.in, c.want, c.ok, got, err)
		}
	}
}

func TestWordsForPeople(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ have, want string }{
		{span(929 * time.Second), "15m 29s"},
		{span(48 * time.Hour), "2d"},
		{span(-90 * time.Minute), "1h 30m"},
		{span(10 * time.Millisecond), "0s"},
		{ago(now.Add(-3*time.Minute), now), "3m ago"},
		{ago(now.Add(5*time.Second), now), "in 5s"},
		{ago(now, now), "now"},
		{ago(time.Time{}, now), "never"},
		{size(512), "512 B"},
		{size(3 << 29), "1.5 GiB"},
		{number(1234567), "1,234,567"},
		{number(999), "999"},
		{number(uint64(1000)), "1,000"},
	} {
		if c.have != c.want {
			t.Errorf("want %q, got %q", c.want, c.have)
		}
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"24h":                  now.Add(-day),
		"7d":                   now.Add(-7 * day),
		"2026-05-01":           time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
		"2026-05-01 08:30":     time.Date(2026, 5, 1, 8, 30, 0, 0, time.UTC),
		"2026-05-01T08:30:00Z": time.Date(2026, 5, 1, 8, 30, 0, 0, time.UTC),
	} {
		got, err := parseSince(in, now)
		if err != nil || !got.Equal(want) {
			t.Errorf("parseSince(%q): want %v, got %v, %v", in, want, got, err)
		}
	}
	if got, err := parseSince("yesterday", now); err == nil {
		t.Errorf("parseSince(yesterday) = %v, want an error", got)
	}
}
