package simulator

import (
	"fmt"
	"testing"
	"time"

	"watchword/bus/event"
)

// Ordinary life does not come near the thresholds: the margins that the
// comment in life.go promises.
func TestOrdinaryLifeKeepsItsDistance(t *testing.T) {
	t.Run("four weeks", func(t *testing.T) {
		keepsDistance(t, WorldConfig{Seed: 11, People: 400, Days: 28, Events: 60_000}, 10)
	})
	t.Run("one Monday in crowded offices", func(t *testing.T) {
		keepsDistance(t, WorldConfig{Seed: 12, People: 12_000, Days: 1, Events: 40_000}, 0)
	})
}

func keepsDistance(t *testing.T, cfg WorldConfig, leastMoves int) {
	cfg.Stories = []string{}
	w := NewWorld(cfg)
	type failure struct {
		at   time.Time
		user string
	}
	byUser, byAddress := map[string][]failure{}, map[string][]failure{}
	type place struct {
		at      time.Time
		country string
	}
	type spotted struct {
		at     time.Time
		latLon string
	}
	seen := map[string]spotted{}
	last, denied := map[string]place{}, map[string]time.Time{}
	moves, failures := 0, 0
	w.Records(event.FeedSigninAttempts, func(r Record) bool {
		e := event.Event{ID: r.UUID, Kind: event.KindSignin, Source: "acme", Time: r.Time, Raw: r.JSON}
		f, err := e.Fields()
		if err != nil {
			t.Fatal(err)
		}
		user := f.User.UUID
		if f.Signin.Outcome == event.OutcomeFailure {
			failures++
			byUser[user] = append(byUser[user], failure{r.Time, user})
			byAddress[f.Client.IP] = append(byAddress[f.Client.IP], failure{r.Time, user})
			if f.Signin.Category == "firewall_failed" {
				denied[user] = r.Time
			}
			return true
		}
		if gap := r.Time.Sub(denied[user]); gap < 3*time.Hour {
			t.Errorf("%s signs in %v after the firewall denied it", user, gap)
		}
		if f.Location.Known {
			now := spotted{r.Time, fmt.Sprintf("%g %g", f.Location.Latitude, f.Location.Longitude)}
			if was, ok := seen[user]; ok {
				if km := distance(was.latLon, now.latLon); km > 90 && km > 750*now.at.Sub(was.at).Hours() {
					t.Errorf("%s goes %.0f km in %v", user, km, now.at.Sub(was.at))
				}
			}
			seen[user] = now
		}
		if c := f.Location.Country; c != "" {
			if was, ok := last[user]; ok && was.country != c {
				moves++
				if gap := r.Time.Sub(was.at); gap < 20*time.Hour {
					t.Errorf("%s is in %s %v after %s", user, c, gap, was.country)
				}
			}
			last[user] = place{r.Time, c}
		}
		return true
	})
	most := func(list []failure, window time.Duration) (all, users int) {
		for i := range list {
			who := map[string]bool{}
			for j := i; j < len(list) && list[j].at.Sub(list[i].at) <= window; j++ {
				who[list[j].user] = true
				all = max(all, j-i+1)
			}
			users = max(users, len(who))
		}
		return all, users
	}
	for user, list := range byUser {
		if n, _ := most(list, time.Hour); n > 3 {
			t.Errorf("%s fails %d times in an hour", user, n)
		}
	}
	for ip, list := range byAddress {
		if _, n := most(list, 10*time.Minute); ip != "" && n > 6 {
			t.Errorf("%d people fail from %s within ten minutes", n, ip)
		}
	}
	if moves < leastMoves || failures < 300 || len(denied) < 3 {
		t.Errorf("%d moves, %d failures, %d denied: too few to tell", moves, failures, len(denied))
	}
}
