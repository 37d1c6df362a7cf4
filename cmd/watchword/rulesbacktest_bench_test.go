package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"watchword/bus/event"
	"watchword/detectors"
	"watchword/pollers/onepassword/simulator"
	"watchword/rules"
	"watchword/rules/builtin"
)

// worldLines are the records of a world as lines of a file, in any order.
func worldLines(w *simulator.World, source string, seed uint64) [][]byte {
	var lines [][]byte
	said := ""
	if source != "" {
		said = fmt.Sprintf(`,"source":%q`, source)
	}
	for _, feed := range event.Feeds {
		w.Records(feed, func(r simulator.Record) bool {
			lines = append(lines, fmt.Appendf(nil, `{"feed":%q,"event":%s%s}`, feed, r.JSON, said))
			return true
		})
	}
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return lines
}

// BenchmarkBacktest evaluates the built-in pack over a file, against what
// reading and decoding the same file takes on the same processors:
//
//	decode    every line read and decoded, no rules
//	backtest  matched, folded, alerts listed with all evidence
//	analysis  and the curves and near misses of every rule
//
// Decoding is most of it: some 6 µs an event, where matching with the pack takes
// about 2 µs. So a backtest should take at most twice as long as decoding alone.
func BenchmarkBacktest(b *testing.B) {
	pack, problems := rules.Load(rules.Folder{Name: "builtin", FS: builtin.FS})
	if problems.HasErrors() {
		b.Fatal(problems)
	}
	lines := worldLines(simulator.NewWorld(simulator.WorldConfig{Seed: 3, People: 200, Days: 14}), "", 3)
	file := filepath.Join(b.TempDir(), "events.ndjson")
	if err := os.WriteFile(file, bytes.Join(lines, []byte("\n")), 0o600); err != nil {
		b.Fatal(err)
	}
	run := func(set *rules.Set, then func(*detectors.History)) time.Duration {
		begin := time.Now()
		input, err := openFiles(b.Context(), []string{file}, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer input.close()
		h, err := (&detectors.Backtest{Sets: []*rules.Set{set}, Source: fileSource}).Run(b.Context(), input.read)
		if err != nil || h.Events != uint64(len(lines)) {
			b.Fatalf("%d events of %d, %v", h.Events, len(lines), err)
		}
		then(h)
		return time.Since(begin)
	}
	none := pack.Only(func(*rules.Rule) bool { return false })
	alerts := func(h *detectors.History) {
		n := 0
		for _, r := range pack.Rules() {
			n += len(h.Alerts(r))
		}
		if n == 0 {
			b.Fatal("no alerts")
		}
	}
	analysis := func(h *detectors.History) {
		alerts(h)
		for _, r := range pack.Rules() {
			h.Curves(r)
			h.NearMisses(r)
		}
	}
	var decode, backtest, whole time.Duration
	for range b.N {
		decode += run(none, func(*detectors.History) {})
		backtest += run(pack, alerts)
		whole += run(pack, analysis)
	}
	rate := func(d time.Duration) float64 { return float64(b.N*len(lines)) / d.Seconds() }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate(decode), "decode/s")
	b.ReportMetric(rate(backtest), "backtest/s")
	b.ReportMetric(rate(whole), "analysis/s")
	b.ReportMetric(backtest.Seconds()/decode.Seconds(), "backtest/decode")
	b.ReportMetric(whole.Seconds()/decode.Seconds(), "analysis/decode")
}
