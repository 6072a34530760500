package agent

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/config/files"
	"github.com/poolcast/poolcast/publisher/status"
)

// statusOptions are the options of the status server; Listen is empty if it is
// switched off. Certificate and token are read here, so that a wrong path is an
// error at the start, and again when they are used.
func (a *agent) statusOptions() (status.Options, error) {
	agent := a.Config.Agent
	o := status.Options{Listen: agent.Listen, Source: a.source, Placer: a.place, Logger: a.Log}
	if o.Listen == "" {
		return o, nil
	}
	if agent.TLSCertFile != "" {
		pair := &certificate{cert: agent.TLSCertFile, key: agent.TLSKeyFile}
		if _, err := pair.get(); err != nil {
			return o, err
		}
		o.Certificate = pair.get
	}
	if agent.BearerTokenFile != "" {
		token := &fileToken{path: agent.BearerTokenFile}
		if _, err := token.read(); err != nil {
			return o, fmt.Errorf("bearer_token_file: %w", err)
		}
		o.Token = token.get
	}
	return o, nil
}

// diskTimeout is how long a request to the status page waits for a file, before
// what was read last is used.
const diskTimeout = 2 * time.Second

// certificate is a key pair on disk that may be renewed at any time. While the
// pair cannot be read, as in the middle of a renewal, the last good one is used.
type certificate struct {
	cert, key string
	disk      files.Slot

	mu   sync.Mutex
	good *tls.Certificate
}

func (c *certificate) get() (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(context.Background(), diskTimeout)
	defer cancel()
	pair, err := files.Within(ctx, &c.disk, func() (tls.Certificate, error) { return files.ReadKeyPair(c.cert, c.key) })
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.good = &pair
	case c.good == nil:
		return nil, fmt.Errorf("read tls_cert_file and tls_key_file: %w", err)
	}
	return c.good, nil
}

// fileToken is a bearer token on disk. While the file cannot be read, the last
// good token is used.
type fileToken struct {
	path string
	disk files.Slot

	mu   sync.Mutex
	good string
}

func (f *fileToken) get() string {
	token, err := f.read()
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.good
	}
	return token
}

func (f *fileToken) read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), diskTimeout)
	defer cancel()
	token, err := setup.BearerToken(ctx, &f.disk, f.path)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.good = token
	return token, nil
}

// place answers a question of the status page on the effective reports.
func (a *agent) place(q status.Query) (status.Answer, error) {
	return a.options.Place(a.current.Load().Config.Scheduler, a.source.effective(), q)
}
