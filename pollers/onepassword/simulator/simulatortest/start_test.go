package simulatortest

import (
	"net/http"
	"testing"

	"watchword/pollers/onepassword/simulator"
)

func TestStart(t *testing.T) {
	world := Small(1, "mass-export")
	server := Start(t, simulator.Config{Worlds: []*simulator.World{world}, Clock: simulator.NewManualClock(world.Complete())})
	r, err := http.NewRequest(http.MethodGet, server.URL+"/api/v2/auth/introspect", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+server.Token(world.Account()))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || len(server.Expected()) != 1 {
		t.Errorf("status %d, %d alerts expected", response.StatusCode, len(server.Expected()))
	}
}
