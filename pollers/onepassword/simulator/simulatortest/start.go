// Package simulatortest starts simulators in tests.
package simulatortest

import (
	"net/http/httptest"
	"testing"

	"watchword/pollers/onepassword/simulator"
)

// Server is a running simulator.
type Server struct {
	*simulator.Simulator
	// URL is its base URL, without a slash at the end.
	URL string
}

// Start serves a simulator on a local address until the test ends.
func Start(t testing.TB, cfg simulator.Config) *Server {
	t.Helper()
	sim := simulator.New(cfg)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &Server{Simulator: sim, URL: server.URL}
}

// Small is a world that is made in milliseconds: twenty people, three days, no
// late records, no stories unless named.
func Small(seed uint64, stories ...string) *simulator.World {
	if stories == nil {
		stories = []string{}
	}
	return simulator.NewWorld(simulator.WorldConfig{Seed: seed, People: 20, Days: 3, Stories: stories, Rounds: 1})
}
