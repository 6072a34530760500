package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// The bounds of a token: commands that hang or pour out text are refused.
const (
	tokenTimeout  = 10 * time.Second
	maxTokenBytes = 4096
)

// credential fetches an API token and keeps it until the array refuses it. Its
// methods may be called from any goroutine. Neither the token nor anything a
// token command printed is ever part of an error.
type credential struct {
	fetch func(context.Context) (string, error)

	mu    sync.Mutex
	token string
}

// Token returns the token, fetching it if there is none.
func (c *credential) Token(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" {
		return c.token, nil
	}
	token, err := c.fetch(ctx)
	if err != nil {
		return "", err
	}
	c.token = token
	return token, nil
}

// Refused forgets the token: the array did not accept it, so it may have been
// rotated. The next login fetches a new one.
func (c *credential) Refused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = ""
}

// tokenFromFile reads a file that holds a token and nothing else.
func tokenFromFile(path string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("read token_file: %w", err)
		}
		defer func() { _ = f.Close() }()
		return readToken(f, "token_file "+path)
	}
}

// tokenFromCommand runs a command, without a shell, that prints a token.
func tokenFromCommand(argv []string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.WaitDelay = time.Second
		var out limitedBuffer
		cmd.Stdout = &out
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				return "", fmt.Errorf("run token_command %s: no answer within %s", argv[0], tokenTimeout)
			}
			return "", fmt.Errorf("run token_command %s: %w (what it printed is not shown, as it may hold a secret; run it by hand)", argv[0], err)
		}
		return readToken(&out.kept, "token_command "+argv[0])
	}
}

func readToken(r io.Reader, from string) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxTokenBytes+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", from, err)
	}
	token := strings.TrimSpace(string(data))
	switch {
	case token == "":
		return "", fmt.Errorf("%s gave nothing; it should give the array's API token", from)
	case len(data) > maxTokenBytes, strings.ContainsAny(token, " \t\r\n"):
		return "", fmt.Errorf("%s gave more than one word; it should give the array's API token and nothing else", from)
	}
	return token, nil
}

// limitedBuffer takes what fits and refuses the rest, which ends the command.
// The buffer is not embedded: its ReadFrom would take everything.
type limitedBuffer struct{ kept bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > maxTokenBytes+1 {
		return 0, errors.New("too much output for a token")
	}
	return b.kept.Write(p)
}
