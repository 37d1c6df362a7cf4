package event

import (
	"strings"

	"github.com/biter777/countries"
)

// Country normalises a country, which the API sends both as an ISO code and as
// a full English name, to ISO 3166-1 alpha-2. What is neither is returned as
// it came, so that a rule can still see it.
func Country(s string) string {
	if len(s) == 2 && isUpper(s[0]) && isUpper(s[1]) {
		return s
	}
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	if len(s) > longestCountry {
		return s // no name, and looking it up takes time by the square of its length
	}
	if c := countries.ByName(s); c != countries.Unknown {
		return c.Alpha2()
	}
	return s
}

// longestCountry is well above the longest English name of a country.
const longestCountry = 100

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
