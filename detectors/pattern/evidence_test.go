package pattern

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchword/bus/alert"
)

// All evidence is what an episode lists, but for the length of its list.
func TestEvidenceOf(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		f := New(p, time.Time{}, 0)
		for _, batch := range drawBatches(t, drawHits(t, p, 30, 30), true) {
			f.Apply(batch)
		}
		for _, e := range f.Episodes() {
			if got := f.EvidenceOf(&e); !reflect.DeepEqual(got, e.Evidence) || len(got) != e.Count {
				t.Fatalf("of %s: %d of %d\n got %+v\nwant %+v", p.Word, len(got), e.Count, got, e.Evidence)
			}
		}
	})
}

// Of hits that a bound cut, what the episode lists is told.
func TestEvidenceOfCutHits(t *testing.T) {
	check(t, func(t *rapid.T) {
		p := drawPattern(t)
		f := New(p, time.Time{}, between(t, 1, 8, "bound"))
		for _, batch := range drawBatches(t, drawHits(t, p, 30, 30), true) {
			f.Apply(batch)
		}
		for _, e := range f.Episodes() {
			got := f.EvidenceOf(&e)
			if len(got) > alert.MaxEvidence || !reflect.DeepEqual(got, e.Evidence) {
				t.Fatalf("of %s:\n got %+v\nwant %+v", p.Word, got, e.Evidence)
			}
		}
	})
}
