package bus_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"watchword/bus"
	"watchword/bus/bustest"
)

func TestBasic(t *testing.T) {
	s := bustest.NewStore(t)
	b := s.Open()
	ctx := t.Context()
	batch := func(n int) []bus.Message {
		var m []bus.Message
		for i := range n {
			m = append(m, bus.Message{Subject: fmt.Sprintf("events.a.b.c.%d", i), Data: fmt.Appendf(nil, "m%d", i)})
		}
		return append(m, bus.Message{Subject: "progress.x.y", Data: []byte("p"), Rollup: true, Keep: true})
	}
	seq, err := b.Commit(ctx, bus.Events, bus.Fence{Subject: "progress.x.y"}, batch(5))
	if err != nil || seq != 6 {
		t.Fatal(seq, err)
	}
	if _, err = b.Commit(ctx, bus.Events, bus.Fence{Subject: "progress.x.y"}, batch(5)); !errors.Is(err, bus.ErrFenced) {
		t.Fatal(err)
	}
	if _, err = b.Commit(ctx, bus.Events, bus.Fence{Subject: "progress.x.y"}, batch(0)); !errors.Is(err, bus.ErrFenced) {
		t.Fatal(err)
	}
	seq, err = b.Commit(ctx, bus.Events, bus.Fence{Subject: "progress.x.y", Last: 6}, batch(5))
	if err != nil || seq != 12 {
		t.Fatal(seq, err)
	}
	r, err := b.Read(ctx, bus.Events, bus.ReadOptions{Until: 12})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		ms, err := r.Next(ctx, 100)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n += len(ms)
	}
	if n != 11 {
		t.Fatal(n)
	}
	l, err := b.LastPerSubject(ctx, bus.Events, "events.>")
	if err != nil || len(l) != 5 {
		t.Fatal(l, err)
	}
	i, err := b.Info(ctx, bus.Events)
	t.Logf("%+v %v", i, err)
	b = s.Open()
	m, err := b.Last(ctx, bus.Events, "progress.x.y")
	if err != nil || m.Seq != 12 {
		t.Fatal(m, err)
	}
	b.Look(ctx)
	t.Log(b.Health())
}
