package detectors

import (
	"context"
	"errors"
	"io"

	"watchword/bus"
	"watchword/bus/event"
	"watchword/detectors/pattern"
	"watchword/rules"
)

// manyEntities is how many people's histories are read one by one; for more,
// the whole source is read once.
const manyEntities = 50

// rebuild makes the folds of keys anew from all that EVENTS holds of them, up
// to the position read, and returns their episodes. It is for hits that came
// later than the folds could take them.
func (s *state) rebuild(ctx context.Context, late map[foldKey]*partition) (map[foldKey][]pattern.Episode, error) {
	if len(late) == 0 {
		return nil, nil
	}
	history, err := s.history(ctx, late)
	if err != nil {
		return nil, err
	}
	out := make(map[foldKey][]pattern.Episode, len(late))
	for k, p := range late {
		ks := p.keys[k]
		s.rebuilt++
		f := pattern.New(&k.rule.Pattern, s.logStart, s.w.c.Limits.KeyHits)
		// What was published tells of the hits decided then, so the fold is
		// resumed at that point and takes the rest after it.
		var before, after []pattern.Hit
		for _, h := range history[k] {
			if h.Seq <= s.decided {
				before = append(before, h)
			} else {
				after = append(after, h)
			}
		}
		f.Apply(before)
		if err := s.resumeFold(ctx, p, k, f); err != nil {
			return nil, err
		}
		_, tooLate := f.Apply(after)
		if len(tooLate) > 0 {
			s.tooLate += uint64(len(tooLate))
			s.w.log.Warn("events came later than the stored events reach back and are not correlated",
				"rule", k.rule.ID, "events", len(tooLate), "stored_from", orBeginning(s.logStart))
		}
		ks.fold, ks.lost, ks.fresh = f, false, false
		ks.pending = ks.pending[:0]
		s.recount(ks)
		out[k] = f.Episodes()
	}
	return out, nil
}

// history reads the hits of the keys from EVENTS, up to the position read.
func (s *state) history(ctx context.Context, late map[foldKey]*partition) (map[foldKey][]pattern.Hit, error) {
	wanted := map[*rules.Rule]bool{}
	for k := range late {
		wanted[k.rule] = true
	}
	r, err := s.w.c.Bus.Read(ctx, bus.Events, bus.ReadOptions{Filters: historyFilters(late), Until: s.position})
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
					if k := (foldKey{mt.Rule, mt.Key}); late[k] != nil {
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
func historyFilters(late map[foldKey]*partition) []string {
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
