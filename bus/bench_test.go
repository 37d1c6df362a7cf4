package bus_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"watchword/bus"
	"watchword/bus/bustest"
)

const (
	benchMessages = 50_000
	benchBatch    = 500
)

// eventBody is an event of the 1Password API's shape and size, each different.
func eventBody(i int) []byte {
	return fmt.Appendf(nil, `{"id":"acme-signins-%08d","type":"onepassword","kind":"signin","source":"acme","account":"A4K7","time":"2026-03-04T05:%02d:%02d.123Z","received":"2026-03-04T05:06:08Z","raw":{"uuid":"56YE2TYN2VFYRLNSHKPW5NVT%02X","session_uuid":"A5K6COGVRVEJXJW3XQZGS7VAMM%d","timestamp":"2026-03-04T05:06:07Z","country":"DE","category":"success","type":"credentials_ok","details":null,"target_user":{"uuid":"IR7VJHJ36JHINBFAD7V2T5MP3E","name":"Wendy Appleseed %d","email":"wendy%d@example.com"},"client":{"app_name":"1Password Browser Extension","app_version":"20240","platform_name":"Chrome","platform_version":"string","os_name":"MacOSX","os_version":"13.2","ip_address":"192.0.2.%d"},"location":{"country":"DE","region":"Hesse","city":"Frankfurt","latitude":50.1,"longitude":8.6}}}`,
		i, i/60%60, i%60, i%256, i, i%200, i%200, i%250)
}

func benchMsgs() []bus.Message {
	out := make([]bus.Message, 0, benchMessages)
	for i := range benchMessages {
		out = append(out, bus.Message{Subject: fmt.Sprintf("events.onepassword.signin.acme.user%03d", i%200), Data: eventBody(i)})
	}
	return out
}

// BenchmarkBus compares Commit and Reader with what JetStream does on this
// machine in the same run: the same messages, on the same kind of server (file
// store, synced on every write, in-process).
//
//	publish-async: one acknowledgement for each message, 4000 under way
//	publish-atomic: batches of 500
//	commit/atomic, read/consume: our rate as a part of theirs
func BenchmarkBus(b *testing.B) {
	msgs := benchMsgs()
	var async, atomic, consume, commit, read time.Duration
	b.ReportAllocs()
	for range b.N {
		raw := bustest.NewRaw(b)
		async += raw.PublishAsync(b, msgs[:benchMessages/5]) * 5
		atomic += raw.PublishAtomic(b, msgs)
		consume += raw.Consume(b, len(msgs)+len(msgs)/5) * 5 / 6
		raw.Stop()

		s := bustest.NewStore(b)
		ours := s.Open()
		commit += commitAll(b, ours, msgs)
		read += readAll(b, ours, len(msgs))
		s.Close()
	}
	rate := func(d time.Duration) float64 { return float64(b.N*benchMessages) / d.Seconds() }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate(async), "publish-async/s")
	b.ReportMetric(rate(atomic), "publish-atomic/s")
	b.ReportMetric(rate(consume), "consume/s")
	b.ReportMetric(rate(commit), "commit/s")
	b.ReportMetric(rate(read), "read/s")
	b.ReportMetric(rate(commit)/rate(atomic), "commit/atomic")
	b.ReportMetric(rate(read)/rate(consume), "read/consume")
}

func commitAll(b *testing.B, to *bus.Bus, msgs []bus.Message) time.Duration {
	start := time.Now()
	fence := bus.Fence{Subject: "progress.acme.signins"}
	batch := make([]bus.Message, 0, benchBatch)
	for i := 0; i < len(msgs); i += benchBatch - 1 {
		batch = append(batch[:0], msgs[i:min(len(msgs), i+benchBatch-1)]...)
		batch = append(batch, bus.Message{Subject: fence.Subject, Data: []byte(`{"cursor":"x"}`), Rollup: true, Keep: true})
		seq, err := to.Commit(b.Context(), bus.Events, fence, batch)
		if err != nil {
			b.Fatal(err)
		}
		fence.Last = seq
	}
	return time.Since(start)
}

func readAll(b *testing.B, from *bus.Bus, want int) time.Duration {
	start := time.Now()
	info, err := from.Info(b.Context(), bus.Events)
	if err != nil {
		b.Fatal(err)
	}
	r, err := from.Read(b.Context(), bus.Events, bus.ReadOptions{Filters: []string{bus.AllEvents, bus.AllProgress}, Until: info.LastSeq})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	n := 0
	for {
		got, err := r.Next(b.Context(), benchBatch)
		n += len(got)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	took := time.Since(start)
	if n != want+1 {
		b.Fatalf("read %d messages, want %d and the marker", n, want)
	}
	return took
}
