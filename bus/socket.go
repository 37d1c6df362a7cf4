package bus

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/nats-io/nats.go"
)

// socketName is the socket in a store through which other processes of the same
// user reach the server that holds it.
const socketName = "watchword.sock"

// longestSocket is what every system takes as the path of a socket: sun_path
// has 104 bytes on the BSDs, 108 on Linux, with a zero at the end.
const longestSocket = 103

// A door lets other processes in: what comes through the socket is piped to the
// server as if it had come from this process.
type door struct {
	listener net.Listener
	path     string
	tmp      string // directory made for the socket, "" when it is in the store
	server   *embed
	log      *slog.Logger
	mu       sync.Mutex
	open     map[net.Conn]struct{} // nil once closed
	pipes    sync.WaitGroup
}

// openDoor opens the socket of a store this process holds and says so in the
// lock file.
func openDoor(st *store, srv *embed, log *slog.Logger) (*door, error) {
	d := &door{server: srv, log: log, open: map[net.Conn]struct{}{}, path: filepath.Join(st.dir, socketName)}
	os.Remove(d.path) // left by a process that was killed: the lock says it is gone
	if st.stale != "" && st.stale != d.path {
		os.Remove(st.stale)
		os.Remove(filepath.Dir(st.stale))
	}
	if len(d.path) > longestSocket {
		tmp, err := os.MkdirTemp("", "watchword-")
		if err != nil {
			return nil, fmt.Errorf("store %s: a directory for its socket: %w", st.dir, err)
		}
		d.tmp, d.path = tmp, filepath.Join(tmp, "sock")
		if len(d.path) > longestSocket {
			os.Remove(tmp)
			return nil, fmt.Errorf("store %s: its path and that of %s are too long for a unix socket (%d bytes): choose a shorter one", st.dir, os.TempDir(), longestSocket)
		}
	}
	var err error
	if d.listener, err = net.Listen("unix", d.path); err != nil {
		return nil, fmt.Errorf("store %s: its socket: %w", st.dir, err)
	}
	if err := os.Chmod(d.path, 0o600); err != nil {
		d.close()
		return nil, fmt.Errorf("store %s: its socket: %w", st.dir, err)
	}
	if err := writeHolder(st.lock, holder{PID: os.Getpid(), Reader: st.reader, Socket: d.path}); err != nil {
		d.close()
		return nil, fmt.Errorf("store %s: its lock file: %w", st.dir, err)
	}
	d.pipes.Add(1)
	go d.accept()
	return d, nil
}

func (d *door) accept() {
	defer d.pipes.Done()
	for {
		c, err := d.listener.Accept()
		if err != nil {
			return // closed
		}
		in, err := d.server.InProcessConn()
		if err != nil {
			c.Close()
			d.log.Warn("a process could not be let in", "err", err)
			continue
		}
		if !d.add(c, in) {
			c.Close()
			in.Close()
			return
		}
		d.pipes.Add(2)
		go d.pipe(c, in)
		go d.pipe(in, c)
	}
}

func (d *door) add(conns ...net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		return false
	}
	for _, c := range conns {
		d.open[c] = struct{}{}
	}
	return true
}

// pipe copies one way until either side closes, then closes both.
func (d *door) pipe(to, from net.Conn) {
	defer d.pipes.Done()
	io.Copy(to, from)
	to.Close()
	from.Close()
	d.mu.Lock()
	delete(d.open, to)
	delete(d.open, from)
	d.mu.Unlock()
}

// close shuts the socket and everyone out, and waits until they are.
func (d *door) close() {
	d.listener.Close() // removes the socket's file
	d.mu.Lock()
	for c := range d.open {
		c.Close()
	}
	d.open = nil
	d.mu.Unlock()
	d.pipes.Wait()
	if d.tmp != "" {
		os.Remove(d.tmp)
	}
}

// attach connects to the server of the process that holds the store.
func (b *Bus) attach(h holder) error {
	if h.Socket == "" {
		return fmt.Errorf("it has not opened a socket")
	}
	return b.connect(nats.SetCustomDialer(socketDialer(h.Socket)))
}

// A socketDialer connects to the socket whatever address it is asked for.
type socketDialer string

// Dial opens the socket.
func (s socketDialer) Dial(string, string) (net.Conn, error) {
	return net.DialTimeout("unix", string(s), connectWait)
}
