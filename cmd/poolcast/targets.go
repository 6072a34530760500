package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
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
	client  *flasharray.Client
	address string // the array's host, as san_ip has it
}

// closeBound is how long all logouts together may take at the end.
const closeBound = 5 * time.Second

// newTargets makes the clients of a configuration, without speaking to any
// array. A client of before whose connection is the same goes on with its
// session. A backend whose client cannot be made is left out, as are those with
// a fault in their section.
func newTargets(cfg *config.Config, sim *simulation, before []target, d *digests) (targets []target, broken []config.Broken) {
	old := map[string]*flasharray.Client{}
	for _, t := range before {
		old[t.Host+t.Connection] = t.client
	}
	broken = slices.Clone(cfg.Broken)
	pools := map[string]*x509.CertPool{}
	d.begin()
	for _, b := range cfg.Backends {
		t := target{Target: newCollectorTarget(b, cfg.Agent), address: b.Address.Host}
		t.Connection = connection(b, cfg.Agent, sim, d)
		t.client = old[t.Host+t.Connection]
		if t.client == nil {
			var err error
			if t.client, err = newClient(b, cfg.Agent, sim, pools); err != nil {
				broken = append(broken, config.Broken{Backend: b, Faults: config.FieldErrors{clientFault(cfg, b, err)}})
				continue
			}
		}
		t.Source = t.client
		targets = append(targets, t)
	}
	return targets, broken
}

// clientFault says where the option is that no client can be made with.
func clientFault(cfg *config.Config, b config.Backend, err error) *config.FieldError {
	e := &config.FieldError{Stanza: b.Stanza, Key: "san_ip", Err: err}
	if b.VerifyTLS && b.CAPath != "" {
		e.Key, e.Hint = "driver_ssl_cert_path", "Write the path of a PEM file that poolcast may read, or of a folder of them."
	}
	e.File, e.Line = cfg.Place(b.Stanza, e.Key)
	return e
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
		Host: b.Host, Cluster: b.Cluster, Backend: b.Stanza, Pool: b.VolumeBackendName, Zone: b.Zone,
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

const (
	// idleTimeout keeps a connection from one poll to the next, whatever the
	// interval is now: it is twice the longest.
	idleTimeout = 2 * time.Hour
	// usualTimeout is no shorter than most poll_timeouts.
	usualTimeout, longestTimeout = time.Minute, time.Hour
)

// requestTimeout bounds a request beside the deadline of its poll. It is the same
// for every poll_timeout up to a minute, so that another one needs no other client
// and no other session.
func requestTimeout(a config.Agent) time.Duration {
	if a.PollTimeout <= usualTimeout {
		return usualTimeout
	}
	return longestTimeout
}

func newClient(b config.Backend, a config.Agent, sim *simulation, pools map[string]*x509.CertPool) (*flasharray.Client, error) {
	token := newCredential(b.Credential)
	o := flasharray.Options{
		Address: b.Address.String(), Token: token.Token, TokenRefused: token.Refused,
		UserAgent: "poolcast/" + version,
		Verify:    b.VerifyTLS, CAPath: b.CAPath,
		Timeout: requestTimeout(a), IdleTimeout: idleTimeout,
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
func connection(b config.Backend, a config.Agent, sim *simulation, d *digests) string {
	digest := sha256.New()
	_, _ = fmt.Fprintf(digest, "%q %q %q %q %t %q %s %t %s %s", b.Address, b.Credential.Token.Reveal(), b.Credential.File,
		b.Credential.Command, b.VerifyTLS, b.CAPath, requestTimeout(a), sim != nil,
		d.all(b.CAPath), d.all(b.Credential.File)) // a new token is tried at once
	return fmt.Sprintf("%x", digest.Sum(nil))
}
