package rules

import (
	"math"
	"strconv"
	"strings"

	"watchword/bus/event"
)

// EarthRadiusKM is the mean radius of the earth (IUGG), by which all distances
// are reckoned.
const EarthRadiusKM = 6371.0088

// Coordinates are a place on earth, in degrees. Its text is what Match.Value
// says for Travel, so that one place is one text.
type Coordinates struct{ Latitude, Longitude float64 }

// String is the latitude and the longitude, "52.52,13.4", with as many digits
// as it takes to read the same numbers back.
func (c Coordinates) String() string {
	b := make([]byte, 0, 24)
	b = strconv.AppendFloat(b, c.Latitude+0, 'f', -1, 64) // + 0 makes 0 of -0
	b = append(b, ',')
	return string(strconv.AppendFloat(b, c.Longitude+0, 'f', -1, 64))
}

// ParseCoordinates reads what String writes.
func ParseCoordinates(s string) (c Coordinates, ok bool) {
	lat, lon, found := strings.Cut(s, ",")
	var err, err2 error
	c.Latitude, err = strconv.ParseFloat(lat, 64)
	c.Longitude, err2 = strconv.ParseFloat(lon, 64)
	return c, found && err == nil && err2 == nil && c.onEarth()
}

// onEarth tells whether there is such a place.
func (c Coordinates) onEarth() bool {
	return math.Abs(c.Latitude) <= 90 && math.Abs(c.Longitude) <= 180
}

// whereabouts is where an event came from as Travel compares it; empty where
// that is not known.
func whereabouts(l *event.Location) string {
	c := Coordinates{l.Latitude, l.Longitude}
	if !l.Known || !c.onEarth() {
		return ""
	}
	return c.String()
}
