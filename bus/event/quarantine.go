package event

import (
	"fmt"
	"time"

	"github.com/goccy/go-json"
)

// Quarantined is a record that could not become an event. It is kept with its
// bytes and the reason, so that nothing is lost in silence.
type Quarantined struct {
	Source   string    `json:"source"`
	Feed     Feed      `json:"feed"`
	Reason   string    `json:"reason"`
	Received time.Time `json:"received"`
	// ID is the id the record would have had, where it could be read.
	ID string `json:"id,omitempty"`
	// Part and Parts number the pieces of a record too large for one message, from 1.
	Part  int `json:"part,omitempty"`
	Parts int `json:"parts,omitempty"`
	// Bytes are the record's own bytes (base64 in JSON).
	Bytes []byte `json:"bytes"`
}

// Encode returns the stored form.
func (q *Quarantined) Encode() ([]byte, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("encode quarantined record: %w", err)
	}
	return b, nil
}

// DecodeQuarantined reads the stored form.
func DecodeQuarantined(data []byte) (Quarantined, error) {
	var q Quarantined
	if err := json.Unmarshal(data, &q); err != nil {
		return Quarantined{}, fmt.Errorf("decode quarantined record: %w", err)
	}
	return q, nil
}
