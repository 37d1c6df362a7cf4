package pattern

import (
	"math/bits"

	"watchword/rules"
)

// markSequence marks the matches of a Sequence.
//
// For a step that takes n events, a block is n neighbours among the hits that
// match it. If a hit is in a match as that step, it is in one where the step's
// hits are a block. A block belongs to a match iff the earliest end that can
// follow it is at most the span after the latest start that can go before it.
// So: forward, the latest start before each (hit, step); backward, the earliest
// end after it, and with both which blocks are good; forward again, which hits
// are in a good block.
//
// A hit's steps are visited from the last to the first when going forward, and
// the other way round when going backward: so no step sees what the same hit
// did for its neighbour, and one hit never fills two slots.
func markSequence(hits []held, steps []rules.Step, span int64) gains {
	pairs := 0
	for i := range hits {
		pairs += bits.OnesCount64(hits[i].matches)
	}
	seen := make([]int64, 0, pairs) // for each pair, forward: latest start before it; later: goodBlock if one begins here
	seen = latestStarts(seen, hits, steps)
	goodBlocks(seen, hits, steps, span)
	return inGoodBlocks(seen, hits, steps)
}

// latestStarts appends, for each (hit, step), the start of the match-to-be that
// started last among those that have filled all steps before, with earlier hits;
// beginning if there is none. For the first step it is the hit itself.
func latestStarts(seen []int64, hits []held, steps []rules.Step) []int64 {
	var done [rules.MaxSlots]int64 // by step: latest start of those that have filled it
	blocks := newBlocks(steps)
	for k := range steps {
		done[k] = beginning
	}
	for i := range hits {
		for m := hits[i].matches; m != 0; {
			k := 63 - bits.LeadingZeros64(m)
			m &^= 1 << k
			start := hits[i].at
			if k > 0 {
				start = done[k-1]
			}
			seen = append(seen, start)
			if first, full := blocks.push(k, start); full {
				done[k] = max(done[k], first)
			}
		}
	}
	return seen
}

const noBlock, goodBlock = 0, 1

// goodBlocks replaces the latest starts by whether a block that belongs to a
// match begins with the (hit, step). Hits that begin a match are marked.
func goodBlocks(seen []int64, hits []held, steps []rules.Step, span int64) {
	var open [rules.MaxSlots]int64 // by step: earliest end of those that fill it and all after it
	blocks := newBlocks(steps)
	for k := range steps {
		open[k] = never
	}
	last, pair := len(steps)-1, len(seen)
	for i := len(hits) - 1; i >= 0; i-- {
		for m := hits[i].matches; m != 0; m &= m - 1 {
			k := bits.TrailingZeros64(m)
			pair--
			start := seen[pair]
			seen[pair] = noBlock
			end := hits[i].at
			if k < last {
				end = open[k+1]
			}
			end, full := blocks.push(k, end)
			if !full || end == never {
				continue
			}
			open[k] = min(open[k], end)
			if start == beginning || end-start > span {
				continue
			}
			seen[pair] = goodBlock
			if k == 0 {
				hits[i].marks |= starts
			}
		}
	}
}

// inGoodBlocks marks the hits that are in a good block. Per step, bit b of a
// register says whether the block that began b hits of that step ago is good.
func inGoodBlocks(seen []int64, hits []held, steps []rules.Step) gains {
	var g gains
	var register [rules.MaxSlots]uint64
	last, pair := len(steps)-1, 0
	for i := range hits {
		found, end := uint64(0), false
		for m := hits[i].matches; m != 0; {
			k := 63 - bits.LeadingZeros64(m)
			m &^= 1 << k
			register[k] = register[k]<<1 | uint64(seen[pair])
			pair++
			n := takes(steps[k])
			if register[k]<<(64-n) != 0 {
				found |= 1 << k
			}
			if k == last && register[k]>>(n-1)&1 != 0 {
				end = true
			}
		}
		if found != 0 {
			g.add(hits, i, found, end)
		}
	}
	return g
}

// takes is how many events the step takes.
func takes(s rules.Step) int { return max(s.Times, 1) }

// blocks remembers, for each step, what was pushed with its newest hits, as
// many as the step takes.
type blocks struct {
	ring [rules.MaxSlots]int64
	step [rules.MaxSlots]struct{ base, size, next, held uint8 }
}

func newBlocks(steps []rules.Step) *blocks {
	b := new(blocks)
	base := 0
	for k, s := range steps {
		b.step[k].base, b.step[k].size = uint8(base), uint8(takes(s))
		base += takes(s)
	}
	return b
}

// push adds a hit of step k. When there are enough for a block, it returns what
// was pushed with the oldest hit in it.
func (b *blocks) push(k int, x int64) (oldest int64, full bool) {
	s := &b.step[k]
	b.ring[s.base+s.next] = x
	if s.next++; s.next == s.size {
		s.next = 0
	}
	if s.held < s.size {
		s.held++
	}
	return b.ring[s.base+s.next], s.held == s.size
}
