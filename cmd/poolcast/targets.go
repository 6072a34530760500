package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/flasharray"
)

// target is a backend with the client of its array: what the collector polls,
// and what the rest of the program wants to know of it.
type target struct {
	collector.Target
	client *flasharray.Client
}

// closeBound is how long all logouts together may take at the end.
const closeBound = 5 * time.Second

// newTargets makes the clients of a configuration, without speaking to any
// array. A client of before whose connection is the same goes on with its
// session. Every backend that cannot be made is in the error.
func newTargets(cfg *config.Config, sim *simulation, before []target) ([]target, error) {
	old := map[string]*flasharray.Client{}
	for _, t := range before {
		old[t.Host+t.Connection] = t.client
	}
	pools := map[string]*x509.CertPool{}
	var targets []target
	var faults []error
	for _, b := range cfg.Backends {
		t := target{Target: newCollectorTarget(b, cfg.Agent)}
		t.Connection = connection(b, cfg.Agent, sim)
		t.client = old[t.Host+t.Connection]
		if t.client == nil {
			var err error
			if t.client, err = newClient(b, cfg.Agent, sim, pools); err != nil {
				faults = append(faults, fmt.Errorf("[%s]: %w", b.Stanza, err))
				continue
			}
		}
		t.Source = t.client
		targets = append(targets, t)
	}
	return targets, errors.Join(faults...)
}

// collectorTargets is what collector.Apply and collector.Once take.
func collectorTargets(targets []target) []collector.Target {
	out := make([]collector.Target, len(targets))
	for i, t := range targets {
		out[i] = t.Target
	}
	return out
}

func newCollectorTarget(b config.Backend, a config.Agent) collector.Target {
	return collector.Target{
		Host: b.Host, Cluster: b.Cluster, Backend: b.Stanza, Pool: b.Pool, Zone: b.Zone,
		Interval: a.PollInterval, Timeout: a.PollTimeout,
		OnStale: collector.Policy(a.OnStale), StaleAfter: a.StaleAfter,
		Stanza: collector.Stanza{
			Protocol:                  b.Protocol,
			ReservedPercentage:        int64(b.ReservedPercentage),
			MaxOverSubscription:       ratioText(b.MaxOverSubscription),
			AutomaticOverSubscription: b.AutomaticRatio,
			FilterFunction:            orEmpty(b.FilterFunction),
			GoodnessFunction:          orEmpty(b.GoodnessFunction),
			Extra:                     b.Extra,
			Live:                      b.LiveCapabilities,
			Replicas:                  replicas(b),
			TriSync:                   b.Replication.TriSync,
		},
	}
}

func replicas(b config.Backend) []collector.Replica {
	out := make([]collector.Replica, len(b.Replication.Devices))
	for i, d := range b.Replication.Devices {
		out[i] = collector.Replica{BackendID: d.BackendID, Sync: d.Type == "sync"}
	}
	return out
}

// ratioText writes the ratio as the collector reads it.
func ratioText(o config.OverSubscription) string {
	if o.Auto {
		return "auto"
	}
	return capability.FormatFloat(o.Ratio)
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func newClient(b config.Backend, a config.Agent, sim *simulation, pools map[string]*x509.CertPool) (*flasharray.Client, error) {
	token := newCredential(b.Credential)
	o := flasharray.Options{
		Address: b.Address.String(), Token: token.Token, TokenRefused: token.Refused,
		UserAgent: "poolcast/" + version,
		Verify:    b.VerifyTLS, CAPath: b.CAPath,
		Timeout: a.PollTimeout, IdleTimeout: 2 * a.PollInterval,
	}
	if sim != nil {
		sim.redirect(&o)
	}
	if o.Verify && o.RootCAs == nil && o.CAPath != "" {
		pool, err := sharedPool(o.CAPath, pools)
		if err != nil {
			return nil, err
		}
		o.RootCAs = pool
	}
	return flasharray.New(o)
}

// sharedPool reads a set of certificates once: a thousand arrays usually trust
// the same ones.
func sharedPool(path string, pools map[string]*x509.CertPool) (*x509.CertPool, error) {
	if pool, ok := pools[path]; ok {
		return pool, nil
	}
	pool, err := flasharray.ReadCAs(path)
	if err != nil {
		return nil, err
	}
	pools[path] = pool
	return pool, nil
}

func newCredential(c config.Credential) *credential {
	switch {
	case c.File != "":
		return &credential{fetch: tokenFromFile(c.File)}
	case len(c.Command) > 0:
		return &credential{fetch: tokenFromCommand(c.Command)}
	}
	return &credential{fetch: func(context.Context) (string, error) { return c.Token.Reveal(), nil }}
}

// connection is a digest of everything that makes a client another one, the
// certificates it trusts and the contents of its token_file included. The token
// is in it, and cannot be had out of it.
func connection(b config.Backend, a config.Agent, sim *simulation) string {
	digest := sha256.New()
	_, _ = fmt.Fprintf(digest, "%q %q %q %q %t %q %s %s %t", b.Address, b.Credential.Token.Reveal(), b.Credential.File,
		b.Credential.Command, b.VerifyTLS, b.CAPath, a.PollTimeout, a.PollInterval, sim != nil)
	files := filesAt(b.CAPath)
	if b.Credential.File != "" {
		files = append(files, b.Credential.File) // a new token is tried at once
	}
	prints := fingerprints(files)
	for _, file := range files {
		_, _ = fmt.Fprintf(digest, " %q %x", file, prints[file])
	}
	return fmt.Sprintf("%x", digest.Sum(nil))
}
