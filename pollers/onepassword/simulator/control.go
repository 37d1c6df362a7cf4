package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"watchword/bus/event"
)

// The control interface, for tests in other processes and for demonstrations.
// It is open to whoever reaches the listener, as is everything in a simulator.
//
//	GET    /simulator/state       time, accounts, requests and faults so far: State
//	GET    /simulator/expected    the alerts that must be raised: [Expected]
//	GET    /simulator/stories     the kinds of stories: {kind: what happens}
//	POST   /simulator/inject?story=KIND[&account=UUID]     a story begins: {"story": name}
//	POST   /simulator/faults      a Fault in JSON goes wrong
//	DELETE /simulator/faults      nothing goes wrong any more
//	POST   /simulator/tokens[?account=UUID][&features=A,B][&expires=1h]     {"token": …}
//	DELETE /simulator/tokens      the token in the Authorization header is revoked
func (s *Simulator) routeControl(mux *http.ServeMux) {
	mux.HandleFunc("GET /simulator/state", func(w http.ResponseWriter, r *http.Request) { reply(w, s.State(), nil) })
	mux.HandleFunc("GET /simulator/expected", func(w http.ResponseWriter, r *http.Request) {
		all := s.Expected()
		if all == nil {
			all = []Expected{}
		}
		reply(w, all, nil)
	})
	mux.HandleFunc("GET /simulator/stories", func(w http.ResponseWriter, r *http.Request) {
		kinds := map[string]string{}
		for _, k := range StoryKinds() {
			kinds[k] = AboutStory(k)
		}
		reply(w, kinds, nil)
	})
	mux.HandleFunc("POST /simulator/inject", func(w http.ResponseWriter, r *http.Request) {
		name, err := s.Inject(r.FormValue("story"), r.FormValue("account"))
		reply(w, map[string]string{"story": name}, err)
	})
	mux.HandleFunc("POST /simulator/faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
		d.DisallowUnknownFields()
		err := d.Decode(&f)
		if err == nil {
			err = s.Fail(f)
		}
		reply(w, f, err)
	})
	mux.HandleFunc("DELETE /simulator/faults", func(w http.ResponseWriter, r *http.Request) {
		s.ClearFaults()
		reply(w, map[string]string{}, nil)
	})
	mux.HandleFunc("POST /simulator/tokens", s.controlMint)
	mux.HandleFunc("DELETE /simulator/tokens", func(w http.ResponseWriter, r *http.Request) {
		reply(w, map[string]string{}, s.Revoke(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
	})
}

func (s *Simulator) controlMint(w http.ResponseWriter, r *http.Request) {
	request := TokenRequest{Account: r.FormValue("account")}
	if request.Account == "" && len(s.worlds) > 0 {
		request.Account = s.worlds[0].account
	}
	if names := r.FormValue("features"); names != "" {
		for name := range strings.SplitSeq(names, ",") {
			request.Features = append(request.Features, event.Feed(name))
		}
	}
	if text := r.FormValue("expires"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			reply(w, nil, fmt.Errorf("expires: %w", err))
			return
		}
		request.Expires = d
	}
	token, err := s.Mint(request)
	reply(w, map[string]string{"token": token}, err)
}

// reply writes a value, or 400 with the error.
func reply(w http.ResponseWriter, value any, err error) {
	a := answer{status: http.StatusOK}
	if err != nil {
		a = refusal(v2, http.StatusBadRequest, err.Error())
	} else if a.body, err = json.MarshalIndent(value, "", "  "); err != nil {
		a = refusal(v2, http.StatusInternalServerError, err.Error())
	}
	a.write(w)
}

// State is what a simulator tells about itself.
type State struct {
	Time     time.Time              `json:"time"` // simulated
	Accounts []AccountState         `json:"accounts"`
	Requests map[string]map[int]int `json:"requests"` // by path, then status; status 0: none was sent
	Returned map[string]int         `json:"returned"` // records, by feed, repeated ones counted again
	Faults   map[FaultKind]int      `json:"faults"`   // that have hit
	Expected int                    `json:"expected"` // alerts
}

// AccountState is what a simulator tells about an account.
type AccountState struct {
	Account string         `json:"account"` // uuid
	Name    string         `json:"name"`
	People  int            `json:"people"`  // machines included
	Records map[string]int `json:"records"` // by feed, those of the future included
	Stories int            `json:"stories"` // told so far
}

// State tells the time, the accounts and what has been answered so far.
func (s *Simulator) State() State {
	st := State{
		Time: s.clock.Now(), Accounts: []AccountState{}, Requests: map[string]map[int]int{}, Returned: map[string]int{},
		Faults: s.faults.counts(), Expected: len(s.Expected()),
	}
	for _, w := range s.worlds {
		st.Accounts = append(st.Accounts, w.state())
	}
	s.tally.copyTo(&st)
	return st
}

func (w *World) state() AccountState {
	w.mu.RLock()
	defer w.mu.RUnlock()
	a := AccountState{Account: w.account, Name: w.cfg.Name, People: len(w.people), Records: map[string]int{}, Stories: w.told}
	for feed, name := range apiFeeds {
		a.Records[name] = len(w.feeds[feed])
	}
	return a
}

func (t *tally) copyTo(st *State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for path, by := range t.requests {
		st.Requests[path] = map[int]int{}
		for status, n := range by {
			st.Requests[path][status] = n
		}
	}
	for feed, n := range t.records {
		st.Returned[feed] = n
	}
}
