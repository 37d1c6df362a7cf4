package bus

import (
	"context"
	"fmt"
	"time"
)

// StreamInfo is the state of a stream.
type StreamInfo struct {
	Name                string
	Created             time.Time     // identifies it: another stream of this name was created at another time
	MaxAge              time.Duration // what is stored longer than this ages out; zero: nothing does
	FirstSeq, LastSeq   uint64        // LastSeq stays when all messages are gone
	FirstTime, LastTime time.Time
	Messages            uint64
	Bytes, MaxBytes     uint64 // before compression
	Deleted             int    // sequences between first and last that are not there
	Lost                uint64 // messages the server says it lost to damage
}

// Info reads the state of a stream.
func (b *Bus) Info(ctx context.Context, stream string) (StreamInfo, error) {
	var r struct {
		Error   *apiError `json:"error"`
		Created time.Time `json:"created"`
		Config  struct {
			MaxAge   time.Duration `json:"max_age"`
			MaxBytes int64         `json:"max_bytes"`
		} `json:"config"`
		State struct {
			Messages  uint64    `json:"messages"`
			Bytes     uint64    `json:"bytes"`
			FirstSeq  uint64    `json:"first_seq"`
			LastSeq   uint64    `json:"last_seq"`
			FirstTime time.Time `json:"first_ts"`
			LastTime  time.Time `json:"last_ts"`
			Deleted   int       `json:"num_deleted"`
			Lost      *struct {
				Msgs []uint64 `json:"msgs"`
			} `json:"lost"`
		} `json:"state"`
	}
	if err := b.ask(ctx, "STREAM.INFO."+stream, nil, &r); err != nil {
		return StreamInfo{}, fmt.Errorf("state of stream %s: %w", stream, err)
	}
	if r.Error != nil {
		return StreamInfo{}, fmt.Errorf("state of stream %s: %w", stream, r.Error)
	}
	s := r.State
	info := StreamInfo{Name: stream, Created: r.Created, MaxAge: r.Config.MaxAge, FirstSeq: s.FirstSeq, LastSeq: s.LastSeq, FirstTime: s.FirstTime, LastTime: s.LastTime,
		Messages: s.Messages, Bytes: s.Bytes, MaxBytes: uint64(max(0, r.Config.MaxBytes)), Deleted: s.Deleted}
	if s.Lost != nil {
		info.Lost = uint64(len(s.Lost.Msgs))
	}
	return info, nil
}
