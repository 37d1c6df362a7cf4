package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Serve answers on the listener until the context ends, and keeps live worlds
// going meanwhile. It closes the listener.
func (s *Simulator) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()

	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.goOn()
		case err := <-done:
			return fmt.Errorf("simulator: %w", err)
		case <-ctx.Done():
			// What is under way may be a slow answer made on purpose: give it a
			// moment, no more.
			grace, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := server.Shutdown(grace); err != nil {
				server.Close()
			}
			if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("simulator: %w", err)
			}
			return nil
		}
	}
}
