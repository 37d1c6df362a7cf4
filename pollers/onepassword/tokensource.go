package onepassword

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// TokenSource is where a token comes from. It is read again and again, so that
// a new token is picked up without a restart.
type TokenSource interface {
	// Token reads the token now. The error names the source and never the token.
	Token(ctx context.Context) (Token, error)
	// String names the source for people: "file /etc/watchword/acme.token".
	String() string
	// Cheap reports whether reading it at every poll costs nothing worth mentioning.
	Cheap() bool
}

// FromFile reads the token from a file that holds nothing else.
func FromFile(path string) TokenSource { return fileSource(path) }

// FromEnv reads the token from an environment variable.
func FromEnv(name string) TokenSource { return envSource(name) }

// FromCommand reads the token from the standard output of a command, such as
// `op read op://ops/events/credential`. It is started directly, without a
// shell, and stopped after 30 s.
func FromCommand(argv ...string) TokenSource {
	return commandSource{argv: argv, timeout: 30 * time.Second}
}

// Fixed is a token that is already there, named for people by what.
func Fixed(what string, t Token) TokenSource { return fixedSource{what: what, token: t} }

type fileSource string

func (f fileSource) String() string { return "file " + string(f) }
func (f fileSource) Cheap() bool    { return true }

func (f fileSource) Token(context.Context) (Token, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return Token{}, fmt.Errorf("token from %s: %w", f, withoutPath(err))
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxTokenBytes+1))
	if err != nil {
		return Token{}, fmt.Errorf("token from %s: %w", f, withoutPath(err))
	}
	return parseFrom(f, string(text))
}

func withoutPath(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

type envSource string

func (e envSource) String() string { return "environment variable " + string(e) }
func (e envSource) Cheap() bool    { return true }

func (e envSource) Token(context.Context) (Token, error) {
	text, ok := os.LookupEnv(string(e))
	if !ok {
		return Token{}, fmt.Errorf("token from %s: it is not set", e)
	}
	return parseFrom(e, text)
}

type fixedSource struct {
	what  string
	token Token
}

func (f fixedSource) String() string                       { return f.what }
func (f fixedSource) Cheap() bool                          { return true }
func (f fixedSource) Token(context.Context) (Token, error) { return f.token, nil }

type commandSource struct {
	argv    []string
	timeout time.Duration
}

// String names the program and its arguments: a secret reference such as
// op://vault/item/field is a name, not a secret. What looks like a token is
// left out all the same.
func (c commandSource) String() string {
	return "command " + tidy(Token{}.redact(strings.Join(c.argv, " ")))
}

// Cheap is false: it may ask a person to unlock, or a server for a secret.
func (c commandSource) Cheap() bool { return false }

func (c commandSource) Token(ctx context.Context) (Token, error) {
	if len(c.argv) == 0 {
		return Token{}, errors.New("token from a command: the command is empty")
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.WaitDelay = time.Second // a child of the command that keeps the pipe open does not hold us
	out, complaint := &bounded{max: maxTokenBytes + 1}, &bounded{max: 4096}
	cmd.Stdout, cmd.Stderr = out, complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return Token{}, fmt.Errorf("token from %s: no answer after %s", c, c.timeout)
		}
		said := tidy(Token{}.redact(complaint.String()))
		if said != "" {
			return Token{}, fmt.Errorf("token from %s: %w: %s", c, err, said)
		}
		return Token{}, fmt.Errorf("token from %s: %w", c, err)
	}
	return parseFrom(c, out.String())
}

func parseFrom(s TokenSource, text string) (Token, error) {
	t, err := ParseToken(text)
	if err != nil {
		return Token{}, fmt.Errorf("token from %s: %w", s, err)
	}
	return t, nil
}

// bounded keeps the first max bytes written to it and swallows the rest.
type bounded struct {
	kept bytes.Buffer // no embedding: its ReadFrom would go around the bound
	max  int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.max - b.kept.Len(); room > 0 {
		b.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (b *bounded) String() string { return b.kept.String() }

// SplitCommand splits a command line into program and arguments at spaces.
// Single and double quotes keep spaces together; nothing else is special,
// since no shell is asked.
func SplitCommand(line string) ([]string, error) {
	var argv []string
	var word strings.Builder
	var quote rune
	inWord := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if inWord {
				argv = append(argv, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("command: a %c is opened and never closed", quote)
	}
	if inWord {
		argv = append(argv, word.String())
	}
	if len(argv) == 0 {
		return nil, errors.New("command: it is empty")
	}
	return argv, nil
}
