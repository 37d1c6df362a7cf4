package rules

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// MaxWithin bounds windows and quiet gaps: what the API keeps.
const MaxWithin = 120 * 24 * time.Hour

// parseDuration reads a whole number with s, m, h or d, such as "15m".
func parseDuration(s string) (time.Duration, error) {
	const right = `write a whole number with s, m, h or d, such as "15m"`
	if len(s) < 2 {
		return 0, fmt.Errorf("%q is no duration: %s", s, right)
	}
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	unit, ok := units[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 31)
	if !ok || err != nil {
		return 0, fmt.Errorf("%q is no duration: %s", s, right)
	}
	if n == 0 {
		return 0, fmt.Errorf("%q is no time at all: %s", s, right)
	}
	if n > uint64(MaxWithin/unit) {
		return 0, beyondHistory(s)
	}
	return time.Duration(n) * unit, nil
}

// beyondHistory is the error of a duration that is longer than MaxWithin.
type beyondHistory string

func (e beyondHistory) Error() string {
	return fmt.Sprintf("%q is longer than 120d, which is all that 1Password keeps", string(e))
}

// checkOf is the check that an error belongs to.
func checkOf(err error) string {
	if errors.As(err, new(beyondHistory)) {
		return windowHistory
	}
	return Invalid
}
