package simulator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"watchword/bus/event"
)

// FaultKind is a way in which the API can go wrong.
type FaultKind string

// The kinds of faults. Those about records and pages concern feeds only.
const (
	FaultUnauthorized FaultKind = "unauthorized"    // 401
	FaultForbidden    FaultKind = "forbidden"       // 403
	FaultThrottled    FaultKind = "throttled"       // 429 with Retry-After, see Fault.RetryAfter
	FaultThrottledDry FaultKind = "throttled-dry"   // 429 without Retry-After
	FaultServerError  FaultKind = "server-error"    // 500 with a JSON body
	FaultBadGateway   FaultKind = "bad-gateway"     // 502 with a text body
	FaultUnavailable  FaultKind = "unavailable"     // 503 with an HTML body
	FaultTimeout      FaultKind = "gateway-timeout" // 504 with an empty body
	FaultNotFound     FaultKind = "not-found"       // the text 404
	FaultSlow         FaultKind = "slow"            // the right answer after Fault.Delay
	FaultCut          FaultKind = "cut"             // the body ends in the middle
	FaultReset        FaultKind = "reset"           // the connection is reset before an answer
	FaultBrokenJSON   FaultKind = "broken-json"     // the body is no JSON
	FaultClockSkew    FaultKind = "clock-skew"      // the Date header is off by Fault.Skew

	// FaultCursorRefused answers 400 to a request with a cursor.
	FaultCursorRefused FaultKind = "cursor-refused"
	// FaultEmptyPage answers with no records and the cursor it was sent, though
	// there are more, and says has_more.
	FaultEmptyPage FaultKind = "empty-page"
	// FaultFalseMore says has_more though nothing follows.
	FaultFalseMore FaultKind = "false-more"
	// FaultNullItems answers an empty page with items: null instead of [].
	FaultNullItems FaultKind = "null-items"
	// FaultDuplicate begins the page with the last record of the page before.
	FaultDuplicate FaultKind = "duplicate"
	// FaultBrokenRecord puts a record that cannot be read into the page,
	// beside the right ones.
	FaultBrokenRecord FaultKind = "broken-record"
	// FaultNoUUID puts a record without a uuid into the page, beside the right ones.
	FaultNoUUID FaultKind = "no-uuid"
	// FaultOversized puts a record of Fault.Size bytes into the page, beside
	// the right ones.
	FaultOversized FaultKind = "oversized"
)

// FaultKinds lists every kind.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultUnauthorized, FaultForbidden, FaultThrottled, FaultThrottledDry, FaultServerError, FaultBadGateway,
		FaultUnavailable, FaultTimeout, FaultNotFound, FaultSlow, FaultCut, FaultReset, FaultBrokenJSON, FaultClockSkew,
		FaultCursorRefused, FaultEmptyPage, FaultFalseMore, FaultNullItems, FaultDuplicate,
		FaultBrokenRecord, FaultNoUUID, FaultOversized,
	}
}

// aboutPages are the kinds that concern feeds only.
var aboutPages = []FaultKind{
	FaultCursorRefused, FaultEmptyPage, FaultFalseMore, FaultNullItems, FaultDuplicate,
	FaultBrokenRecord, FaultNoUUID, FaultOversized,
}

// Fault is one thing that shall go wrong.
type Fault struct {
	Kind FaultKind `json:"kind"`
	// Feed limits it to one feed; empty: every feed, and introspection.
	Feed event.Feed `json:"feed,omitempty"`
	// Account limits it to the tokens of one account (uuid).
	Account string `json:"account,omitempty"`
	// After lets so many requests pass first.
	After int `json:"after,omitempty"`
	// Times is how many requests it hits: one if zero, all from now on if negative.
	Times int `json:"times,omitempty"`

	Delay      time.Duration `json:"delay,omitempty"`       // of slow, in ns; 2 s if zero
	RetryAfter time.Duration `json:"retry_after,omitempty"` // of throttled, in ns; 1 s if zero
	Skew       time.Duration `json:"skew,omitempty"`        // of clock-skew, in ns; one hour ahead if zero
	Size       int           `json:"size,omitempty"`        // of oversized, in bytes; 2 MiB if zero
}

// Validate says what is wrong with the fault.
func (f Fault) Validate() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("fault: kind %q is none; there are %v", f.Kind, FaultKinds())
	}
	if f.Feed != "" && feedNumber(f.Feed) < 0 {
		return fmt.Errorf("fault: feed %q is none; there are %v", f.Feed, event.Feeds)
	}
	if f.Delay < 0 || f.RetryAfter < 0 || f.Size < 0 || f.After < 0 {
		return fmt.Errorf("fault: delay, retry_after, size and after must not be negative")
	}
	return nil
}

func (f Fault) withDefaults() Fault {
	if f.Delay == 0 {
		f.Delay = 2 * time.Second
	}
	if f.RetryAfter == 0 {
		f.RetryAfter = time.Second
	}
	if f.Skew == 0 {
		f.Skew = time.Hour
	}
	if f.Size == 0 {
		f.Size = 2 << 20
	}
	return f
}

// Faults are what goes wrong by chance.
type Faults struct {
	// Seed of the dice. With requests in the same order the same ones fail.
	Seed uint64
	// Rates are probabilities by kind. At most one fault hits a request, so
	// together they should not exceed 1.
	Rates map[FaultKind]float64
	// Each gives delays, sizes and limits for the faults that happen; its Kind,
	// After and Times are not used.
	Each Fault
}

// request is what decides whether a fault concerns it.
type request struct {
	feed      string // empty: introspection
	account   string // empty: no good token
	continues bool   // has a cursor
}

// faultDesk decides which request meets which fault, and counts them.
type faultDesk struct {
	mu       sync.Mutex
	dice     *rand.Rand
	chances  Faults
	scripted []Fault
	served   map[FaultKind]int
}

func newFaultDesk(f Faults) *faultDesk {
	return &faultDesk{dice: newRand(f.Seed, saltFaults), chances: f, served: map[FaultKind]int{}}
}

// add asks for a fault.
func (d *faultDesk) add(f Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	d.scripted = append(d.scripted, f)
	return nil
}

func (d *faultDesk) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scripted, d.chances.Rates = nil, nil
}

// draw returns the fault that the request meets; its kind is empty for none.
// What is asked for comes before what happens by chance.
func (d *faultDesk) draw(r request) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.scripted {
		f := &d.scripted[i]
		if !concerns(*f, r) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		hit := f.withDefaults()
		if f.Times--; f.Times == 0 {
			d.scripted = slices.Delete(d.scripted, i, i+1)
		} else if f.Times < 0 {
			f.Times = -1
		}
		d.served[hit.Kind]++
		return hit
	}
	x := d.dice.Float64()
	for _, kind := range slices.Sorted(maps.Keys(d.chances.Rates)) {
		if x -= d.chances.Rates[kind]; x >= 0 {
			continue
		}
		f := d.chances.Each
		f.Kind = kind
		if !concerns(f, r) {
			break
		}
		d.served[kind]++
		return f.withDefaults()
	}
	return Fault{}
}

func concerns(f Fault, r request) bool {
	switch {
	case f.Account != "" && f.Account != r.account:
		return false
	case f.Feed != "" && string(f.Feed) != r.feed:
		return false
	case r.feed == "" && slices.Contains(aboutPages, f.Kind):
		return false
	case f.Kind == FaultCursorRefused || f.Kind == FaultDuplicate:
		return r.continues
	}
	return true
}

// counts is how often each kind has hit.
func (d *faultDesk) counts() map[FaultKind]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.served)
}
