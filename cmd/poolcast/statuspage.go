package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/poolcast/poolcast/publisher/status"
)

// statusOptions translates the configuration; Listen is empty if the page is
// switched off. Certificate and token are read once here, so that a wrong path
// is an error at the start, and again whenever they change.
func (a *agent) statusOptions() (status.Options, error) {
	agent := a.cfg.Agent
	o := status.Options{Listen: agent.Listen, Source: a.view, Logger: a.log}
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
			return o, err
		}
		o.Token = token.get
	}
	return o, nil
}

// certificate is a key pair on disk that may be renewed at any time. A pair
// that cannot be read, as in the middle of a renewal, leaves the last good one.
type certificate struct {
	cert, key string

	mu   sync.Mutex
	good *tls.Certificate
}

func (c *certificate) get() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	switch {
	case err == nil:
		c.good = &pair
	case c.good == nil:
		return nil, fmt.Errorf("read tls_cert_file and tls_key_file: %w", err)
	}
	return c.good, nil
}

// fileToken is a bearer token on disk. While the file cannot be read the last
// good token counts.
type fileToken struct {
	path string

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
	data, err := os.ReadFile(f.path)
	if err != nil {
		return "", fmt.Errorf("read bearer_token_file: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("read bearer_token_file: %s is empty; an empty token would let everybody in", f.path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.good = token
	return token, nil
}
