package main

import (
	"fmt"
	"strings"
	"time"
)

// chartWidth is how many columns a chart has at most.
const chartWidth = 60

var chartBars = []rune("▁▂▃▄▅▆▇█")

// dayChart draws how many of the times lie in each day from first to last, in
// the zone of these; several days share a column where there are many. said
// tells the scale.
func dayChart(times []time.Time, first, last time.Time) (bars, said string) {
	begin := midnight(first)
	days := daysBetween(begin, last) + 1
	each := (days + chartWidth - 1) / chartWidth
	counts := make([]int, (days+each-1)/each)
	most, when := 0, 0
	for _, t := range times {
		day := daysBetween(begin, t.In(first.Location()))
		column := min(max(day, 0)/each, len(counts)-1) // what began before is in the first
		if counts[column]++; counts[column] > most {
			most, when = counts[column], column
		}
	}
	var b strings.Builder
	for _, n := range counts {
		if n == 0 {
			b.WriteRune('·')
			continue
		}
		b.WriteRune(chartBars[(n*len(chartBars)-1)/most])
	}
	unit := "day"
	if each > 1 {
		unit = fmt.Sprintf("%d days", each)
	}
	said = fmt.Sprintf("%s – %s, a column for each %s", begin.Format(time.DateOnly), last.Format(time.DateOnly), unit)
	if most > 0 {
		said += fmt.Sprintf(", at most %d (%s)", most, begin.AddDate(0, 0, when*each).Format(time.DateOnly))
	}
	return b.String(), said
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// daysBetween is how many midnights lie between two times of one zone.
func daysBetween(a, b time.Time) int {
	utc := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(utc(b).Sub(utc(a)) / day)
}
