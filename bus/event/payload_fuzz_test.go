package event

import (
	stdjson "encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/goccy/go-json"
)

// An API object is read by a decoder that is not the standard library's. What
// the one reads, the other must read, and as the same.
func FuzzPayload(f *testing.F) {
	for i, feed := range Feeds {
		raw, err := os.ReadFile("testdata/" + string(feed.Kind()) + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, raw)
	}
	f.Add(0, []byte(`{"uuid":"A","UUID":"B","timestamp":"2026-05-04T08:15:02.000000001-03:00","details":{"value":null}}`))
	f.Add(2, []byte(`{"uuid":"\ud800","timestamp":"2026-05-04T08:15:02Z","aux_id":9223372036854775808}`))
	f.Fuzz(func(t *testing.T, n int, raw []byte) {
		var fast, std any
		switch uint(n) % 3 {
		case 0:
			fast, std = new(SigninAttempt), new(SigninAttempt)
		case 1:
			fast, std = new(ItemUsage), new(ItemUsage)
		case 2:
			fast, std = new(AuditEvent), new(AuditEvent)
		}
		if err := json.Unmarshal(raw, fast); err != nil {
			return // refusing more than the standard library only sets a record aside
		}
		if err := stdjson.Unmarshal(raw, std); err != nil {
			t.Fatalf("read %q, which the standard library refuses: %v", raw, err)
		}
		if !reflect.DeepEqual(fast, std) {
			t.Fatalf("read %q as\n     %+v\nwant %+v", raw, fast, std)
		}
	})
}
