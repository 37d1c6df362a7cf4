package pattern

import (
	"math"
	"time"
)

// Instants are nanoseconds since 1970. Those of events lie within ±edge, so
// that windows can be added and subtracted without a thought of overflow.
const (
	beginning = math.MinInt64 // before all instants: nothing is settled
	never     = math.MaxInt64 // after all instants
	edge      = 1 << 62       // the years 1823 and 2116
)

// instant is t in nanoseconds; a time beyond the edges is taken as the edge.
func instant(t time.Time) int64 {
	switch s := t.Unix(); {
	case s >= edge/int64(time.Second):
		return edge
	case s <= -edge/int64(time.Second):
		return -edge
	}
	return t.UnixNano()
}

// timeOf is the opposite of instant. The beginning is the zero time.
func timeOf(at int64) time.Time {
	if at == beginning {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}

// ref is a place in the order of events.
type ref struct {
	at int64
	id string
}

func (r ref) before(o ref) bool {
	if r.at != o.at {
		return r.at < o.at
	}
	return r.id < o.id
}

func (r ref) public() Ref { return Ref{Time: timeOf(r.at), ID: r.id} }
