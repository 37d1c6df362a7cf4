package rules

import (
	"math"
	"strings"

	"watchword/bus/event"
)

// domain is the part of an e-mail address after the last @, in lower case;
// empty where there is none.
func domain(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return ""
	}
	return strings.ToLower(email[at+1:])
}

// distanceKM is the great-circle distance by the haversine formula. Where
// coordinates are missing it is no number, so that every comparison is false.
func distanceKM(a, b event.Location) float64 {
	if !a.Known || !b.Known {
		return math.NaN()
	}
	rad := func(degrees float64) float64 { return degrees * math.Pi / 180 }
	sin2 := func(x float64) float64 { s := math.Sin(x / 2); return s * s }
	h := sin2(rad(b.Latitude-a.Latitude)) +
		math.Cos(rad(a.Latitude))*math.Cos(rad(b.Latitude))*sin2(rad(b.Longitude-a.Longitude))
	return 2 * EarthRadiusKM * math.Asin(math.Sqrt(min(1, h)))
}
