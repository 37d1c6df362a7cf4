package bustest_test

import (
	"fmt"
	"testing"

	"watchword/bus"
	"watchword/bus/bustest"
)

// Put stores everything in order, whatever the subjects.
func TestPut(t *testing.T) {
	s := bustest.NewStore(t)
	b := s.Open()
	var msgs []bus.Message
	for i := range 2500 {
		msgs = append(msgs, bus.Message{Subject: fmt.Sprint("events.a.b.c.", i*i%700), Data: fmt.Append(nil, i)})
	}
	last := bustest.Put(t, b, bus.Events, msgs...)
	if last != uint64(len(msgs)) {
		t.Fatalf("the last sequence is %d, want %d", last, len(msgs))
	}
	b = bustest.Connect(t, s.OpenOn())
	for _, i := range []int{0, 1, 999, 2499} {
		m, err := b.Get(t.Context(), bus.Events, uint64(i+1))
		if err != nil || m.Subject != msgs[i].Subject || string(m.Data) != string(msgs[i].Data) {
			t.Fatalf("message %d is %s %q (%v), want %s %q", i+1, m.Subject, m.Data, err, msgs[i].Subject, msgs[i].Data)
		}
	}
}
