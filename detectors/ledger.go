package detectors

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"time"

	"watchword/bus"
	"watchword/rules"
)

// Ledger says up to where a partition is decided. It is the last message of
// every batch the partition commits, and the fence of the next.
type Ledger struct {
	Partition int `json:"partition"`
	// Stream is when EVENTS was created: its identity.
	Stream time.Time `json:"stream"`
	// Seq is the EVENTS sequence decided up to.
	Seq uint64 `json:"seq"`
	// Event is the newest event at or before Seq, to recognise a log that was
	// cut or restored: a sequence can come again, its time cannot.
	Event Position `json:"event"`
	// Ahead is set where the alerts in front of this ledger were decided further
	// than it says, because the rest of the decision did not fit into the batch:
	// the newest event they were decided up to.
	Ahead Position `json:"ahead,omitzero"`

	Generation uint64    `json:"generation"` // of the rule set
	Worker     string    `json:"worker"`
	Decided    time.Time `json:"decided"` // wall clock
}

// Position is one message of EVENTS.
type Position struct {
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"` // when it was stored
}

func (l *Ledger) encode() ([]byte, error) {
	b, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("encode ledger %d: %w", l.Partition, err)
	}
	return b, nil
}

func decodeLedger(data []byte) (Ledger, error) {
	var l Ledger
	if err := json.Unmarshal(data, &l); err != nil {
		return Ledger{}, fmt.Errorf("decode ledger: %w", err)
	}
	if l.Partition < 0 || l.Partition >= bus.Partitions {
		return Ledger{}, fmt.Errorf("decode ledger: partition %d, want 0 to %d", l.Partition, bus.Partitions-1)
	}
	return l, nil
}

// PartitionOf is the partition that decides a rule's key. It is part of what is
// stored, so it must never change.
func PartitionOf(rule string, key rules.Key) int {
	h := fnv.New64a()
	h.Write([]byte(rule))
	h.Write([]byte{0})
	h.Write([]byte(key))
	return int(h.Sum64() % bus.Partitions)
}
