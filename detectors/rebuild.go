package detectors

import (
	"context"
	"errors"
	"io"
	"time"

	"watchword/bus"
	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// manyEntities is how many people's histories are read one by one; for more,
// the whole source is read once.
const manyEntities = 50

// rebuild makes the folds of keys anew from what EVENTS holds of them, up to
// the position read, and returns the episodes that changed by what is pending.
// It is for hits that came later than the folds could take them, and for folds
// that were dropped for want of room.
func (s *state) rebuild(ctx context.Context, late map[foldKey]*partition) (map[foldKey][]pattern.Episode, error) {
	if len(late) == 0 {
		return nil, nil
	}
	info, err := s.w.c.Bus.Info(ctx, bus.Events)
	if err != nil {
		return nil, err
	}
	stored := s.w.storedFrom(info)
	from := map[foldKey]time.Time{}
	for k, p := range late {
		// Two windows before the earliest of them, package pattern says why.
		from[k] = p.keys[k].behind.Add(-2 * k.rule.Pattern.Within)
		if from[k].Before(stored) {
			from[k] = stored
		}
	}
	history, err := s.history(ctx, from)
	if err != nil {
		return nil, err
	}
	out := make(map[foldKey][]pattern.Episode, len(late))
	for k, p := range late {
		s.rebuilt++
		f := pattern.New(&k.rule.Pattern, from[k], s.w.c.Limits.KeyHits)
		// What was published tells of the hits decided then, so the fold is
		// resumed at that point and takes the rest after it.
		var before, after []pattern.Hit
		for _, h := range history[k] {
			if h.Seq <= max(s.decided, p.resume) {
				before = append(before, h)
			} else {
				after = append(after, h)
			}
		}
		f.Apply(before)
		if err := s.resumeFold(ctx, p, k, f); err != nil {
			return nil, err
		}
		changed, tooLate := f.Apply(after)
		if len(tooLate) > 0 {
			s.tooLate += uint64(len(tooLate))
			s.w.log.Warn("events came later than the stored events reach back and are not correlated",
				"rule", k.rule.ID, "events", len(tooLate), "stored_from", orBeginning(stored))
		}
		ks := p.keys[k]
		if p.compare && ks.touched > p.compareFrom {
			changed = f.Episodes()
		}
		ks.fold, ks.lost, ks.fresh = f, false, false
		ks.pending = ks.pending[:0]
		s.recount(ks)
		out[k] = changed
	}
	return out, nil
}

func earliest(hits []pattern.Hit) time.Time {
	t := hits[0].Time
	for _, h := range hits {
		if h.Time.Before(t) {
			t = h.Time
		}
	}
	return t
}

// history reads the hits that the keys have had since the times given, up to
// the position read. An event that happened at t is stored at t or later.
func (s *state) history(ctx context.Context, from map[foldKey]time.Time) (map[foldKey][]pattern.Hit, error) {
	wanted := map[*rules.Rule]bool{}
	var start time.Time
	for k, t := range from {
		wanted[k.rule] = true
		if start.IsZero() || t.Before(start) {
			start = t
		}
	}
	r, err := s.w.c.Bus.Read(ctx, bus.Events, bus.ReadOptions{Filters: historyFilters(from), StartTime: start.Add(-skew), Until: s.position})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := map[foldKey][]pattern.Hit{}
	for {
		msgs, err := r.Next(ctx, batchSize)
		for i := range msgs {
			e, derr := event.Decode(msgs[i].Data)
			if derr != nil {
				continue // counted and told when it was first read
			}
			f, ferr := e.Fields()
			if ferr != nil {
				continue
			}
			h := hitter{e: &e, f: &f, seq: msgs[i].Seq}
			for rule := range wanted {
				s.matcher.MatchRule(rule, f, func(mt rules.Match) {
					k := foldKey{mt.Rule, mt.Key}
					if since, ok := from[k]; ok && !e.Time.Before(since) {
						out[k] = append(out[k], h.hit(mt))
					}
				})
			}
		}
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// historyFilters selects, by as few and as narrow subjects as possible, the
// events that the keys can have hits in. No two of them overlap.
func historyFilters(late map[foldKey]time.Time) []string {
	entities := map[string]map[string]bool{} // by source; a nil set stands for the whole source
	for k := range late {
		source, parts := k.key.Split()
		if source == "" {
			return []string{bus.AllEvents}
		}
		set, seen := entities[source]
		if !k.rule.EntityKeyed() || len(parts) == 0 {
			entities[source] = nil
			continue
		}
		if seen && set == nil {
			continue
		}
		if set == nil {
			set = map[string]bool{}
			entities[source] = set
		}
		set[parts[0]] = true
	}
	var filters []string
	for source, set := range entities {
		if set == nil || len(set) > manyEntities {
			filters = append(filters, bus.EventFilter("", "", source, ""))
			continue
		}
		for entity := range set {
			filters = append(filters, bus.EventFilter("", "", source, entity))
		}
	}
	return filters
}
