package bus_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"watchword/bus"
	"watchword/bus/bustest"
)

// An ordinary client that subscribes gets every alert revision as it is
// published, alone or in a batch: what `nats sub 'alerts.>'` does.
func TestOrdinarySubscriber(t *testing.T) {
	b := bustest.NewStore(t).OpenOn()
	nc, err := nats.Connect(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync(bus.AllAlerts)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	ledger := bus.LedgerSubject(7)
	first, err := b.Commit(t.Context(), bus.Alerts, bus.Fence{Subject: ledger}, []bus.Message{
		{Subject: "alerts.opened.high.r.one", Data: []byte("one")},
		{Subject: "alerts.opened.high.r.two", Data: []byte("two")},
		{Subject: ledger, Data: []byte("ledger"), Rollup: true, Keep: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(t.Context(), bus.Alerts, bus.Fence{Subject: ledger, Last: first}, []bus.Message{
		{Subject: "alerts.updated.high.r.one", Data: []byte("three"), Rollup: true},
		{Subject: ledger, Data: []byte("ledger"), Rollup: true, Keep: true},
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two", "three"} {
		m, err := sub.NextMsg(5 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Data) != want {
			t.Errorf("%s on %s, want %s", m.Data, m.Subject, want)
		}
	}
}
