package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// parseSpan reads a span of time as people write it: Go's form ("90s",
// "1h30m") or whole days ("30d"). It refuses what is negative.
func parseSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, convErr := strconv.Atoi(days)
		if convErr == nil && n > int(math.MaxInt64/day) {
			convErr = strconv.ErrRange
		}
		d, err = time.Duration(n)*day, convErr
	}
	if err != nil || d < 0 {
		return 0, fmt.Errorf("want a span of time such as 90s, 15m, 24h or 30d")
	}
	return d, nil
}

// span writes a duration shortly, in at most two units: "4d 3h", "15m 29s", "2s".
func span(d time.Duration) string {
	if d < 0 {
		d = -d
	}
	if d < time.Second {
		return "0s"
	}
	units := []struct {
		size time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	for i, u := range units {
		if d < u.size {
			continue
		}
		out := fmt.Sprintf("%d%s", d/u.size, u.name)
		if i+1 < len(units) {
			if rest := d % u.size / units[i+1].size; rest > 0 {
				out += fmt.Sprintf(" %d%s", rest, units[i+1].name)
			}
		}
		return out
	}
	return "0s"
}

// ago says how far a moment lies from now, in words.
func ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "never"
	case d <= -time.Second:
		return "in " + span(d)
	case d < time.Second:
		return "now"
	default:
		return span(d) + " ago"
	}
}

// byteUnits are the suffixes a number of bytes may have, largest first.
var byteUnits = []struct {
	name string
	size uint64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// parseBytes reads a number of bytes with a unit: "512MiB", "8GiB".
func parseBytes(s string) (uint64, error) {
	digits, size := s, uint64(1)
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			digits, size = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n > math.MaxInt64/size {
		return 0, fmt.Errorf("want a number of bytes such as 512MiB or 8GiB")
	}
	return n * size, nil
}

// size writes a number of bytes with one decimal in the unit that fits.
func size(n uint64) string {
	for _, u := range byteUnits {
		if n >= u.size && u.size > 1 {
			return strconv.FormatFloat(float64(n)/float64(u.size), 'f', 1, 64) + " " + u.name
		}
	}
	return strconv.FormatUint(n, 10) + " B"
}

// number writes a count with its thousands apart: 1,234,567.
func number[T int | uint64](n T) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// parseSince reads a moment in the past: a span before now ("24h", "7d"), a
// date ("2026-05-04", local) or an RFC 3339 time.
func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := parseSpan(s); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no moment: want a span before now (24h, 7d), a date (2026-05-04) or an RFC 3339 time", s)
}
