package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"watchword/pollers/onepassword/simulator"
)

// A world with one attack, asked over HTTP as any client would.
func Example() {
	world := simulator.NewWorld(simulator.WorldConfig{Seed: 7, People: 20, Days: 2, Stories: []string{"guess-then-export"}, Rounds: 1})
	sim := simulator.New(simulator.Config{Worlds: []*simulator.World{world}, Clock: simulator.NewManualClock(world.Complete())})
	server := httptest.NewServer(sim)
	defer server.Close()

	request, _ := http.NewRequest(http.MethodPost, server.URL+"/api/v2/signinattempts",
		bytes.NewReader([]byte(`{"limit":1000,"start_time":"2026-01-05T00:00:00Z"}`)))
	request.Header.Set("Authorization", "Bearer "+sim.Token(world.Account()))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	var page struct {
		Cursor string            `json:"cursor"`
		More   bool              `json:"has_more"`
		Items  []json.RawMessage `json:"items"`
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.Status, len(page.Items) > 20, page.More)
	for _, alert := range sim.Expected() {
		fmt.Println(alert.Story, "must raise", alert.Rule)
	}
	// Output:
	// 200 OK true false
	// guess-then-export/1 must raise signin-after-failures
	// guess-then-export/1 must raise export-after-failed-signins
}
