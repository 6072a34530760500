package agent

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/input"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/setup"
	"github.com/poolcast/poolcast/config/files"
	"github.com/poolcast/poolcast/publisher/status"
)

// statusOptions are the options of the status server; Listen is empty if it is
// switched off. Certificate and token are read here, so that a wrong path is an
// error at the start, and again when they are used.
func (a *agent) statusOptions() (status.Options, error) {
	agent := a.Config.Agent
	o := status.Options{Listen: agent.Listen, Source: a.source, Placer: a.place, Scheduler: a.listJSON, Listed: a.viewList, Logger: a.Log}
	if o.Listen == "" {
		return o, nil
	}
	if agent.TLSCertFile != "" {
		pair := keyPair(agent.TLSCertFile, agent.TLSKeyFile)
		if _, err := pair.get(); err != nil {
			return o, err
		}
		o.Certificate = pair.get
	}
	if agent.BearerTokenFile != "" {
		token := bearerToken(agent.BearerTokenFile)
		if _, err := token.get(); err != nil {
			return o, fmt.Errorf("bearer_token_file: %w", err)
		}
		o.Token = func() string {
			text, _ := token.get() // the first one was good
			return text
		}
	}
	return o, nil
}

// diskTimeout is how long a request to the status page waits for a file, before
// what was read last is used.
const diskTimeout = 2 * time.Second

// renewed is a value in files that may be renewed at any time. While it cannot be
// read, as in the middle of a renewal, the last good one is used.
type renewed[T any] struct {
	read func(context.Context) (T, error)

	mu   sync.Mutex
	good *T
}

// get returns the value; an error means that there was never a good one.
func (r *renewed[T]) get() (T, error) {
	ctx, cancel := context.WithTimeout(context.Background(), diskTimeout)
	defer cancel()
	value, err := r.read(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.good = &value
	}
	if r.good == nil {
		return value, err
	}
	return *r.good, nil
}

func keyPair(cert, key string) *renewed[*tls.Certificate] {
	slot := &files.Reader{}
	return &renewed[*tls.Certificate]{read: func(ctx context.Context) (*tls.Certificate, error) {
		pair, err := files.Do(ctx, slot, func() (tls.Certificate, error) { return files.ReadKeyPair(cert, key) })
		if err != nil {
			return nil, fmt.Errorf("read tls_cert_file and tls_key_file: %w", err)
		}
		return &pair, nil
	}}
}

func bearerToken(path string) *renewed[string] {
	slot := &files.Reader{}
	return &renewed[string]{read: func(ctx context.Context) (string, error) { return setup.BearerToken(ctx, slot, path) }}
}

// place decides on a volume of the status page, on the effective reports.
func (a *agent) place(q status.Query) (status.Decision, error) {
	types := a.types.Load()
	t, err := types.find(q.VolumeType)
	if err != nil {
		return status.Decision{}, err
	}
	cloud := a.cloud()
	cloud.API.DefaultType = types.defaultType(a.current.Load().Config.API.DefaultType)
	d, err := decision.ForPage(cloud, q, t)
	if t != nil {
		d.Notes = slices.Concat(input.ReviewSpecs(*t), d.Notes)
	}
	return d, err
}

// cloud is the cloud of the configuration in use, with the backends that count.
func (a *agent) cloud() *decision.Cloud {
	return decision.NewCloud(a.current.Load().Config, a.backends())
}
