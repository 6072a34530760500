package setup

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/configcheck"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/exit"
	"github.com/poolcast/poolcast/cmd/poolcast/internal/watch"
	"github.com/poolcast/poolcast/collector"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/config"
	"github.com/poolcast/poolcast/flasharray"
)

// Target is a backend with the client of its array.
type Target struct {
	collector.Target
	Client  *flasharray.Client
	Address string // the array's host, as san_ip has it
}

// closeTimeout is how long all logouts together may take at the end.
const closeTimeout = 5 * time.Second

// Clients makes the clients of arrays. It may be used by one goroutine at a time.
type Clients struct {
	Hashes     *watch.Hashes
	Simulation *Simulation // nil for real arrays
	UserAgent  string
}

// Setup makes the clients of a configuration, without a request to any array. A
// client of before whose connection is the same is kept, with its session. A
// backend whose client cannot be made is left out, as are those with a fault in
// their section. It is an error if no backend is left.
func (c *Clients) Setup(cfg *config.Config, before Setup) (Setup, error) {
	s := Setup{Config: cfg}
	if c.Simulation != nil {
		if err := c.Simulation.add(cfg.Backends); err != nil {
			return Setup{}, err
		}
	}
	s.Targets, s.Broken = c.targets(cfg, before.Targets)
	if len(s.Targets) == 0 {
		return Setup{}, exit.With(exit.Config, newRefusal(cfg, configcheck.BrokenFaults(s.Broken)))
	}
	if err := collector.Validate(CollectorTargets(s.Targets)); err != nil {
		return Setup{}, exit.With(exit.Config, err)
	}
	return s, nil
}

func (c *Clients) targets(cfg *config.Config, before []Target) (targets []Target, broken []config.Broken) {
	old := map[string]*flasharray.Client{}
	for _, t := range before {
		old[t.Host+t.Connection] = t.Client
	}
	broken = slices.Clone(cfg.Broken)
	pools := map[string]*x509.CertPool{}
	c.Hashes.Begin()
	for _, b := range cfg.Backends {
		t := Target{Target: newCollectorTarget(b, cfg.Agent), Address: b.Address.Host}
		t.Simulated = c.Simulation != nil
		t.Connection = c.connection(b, cfg.Agent)
		t.Client = old[t.Host+t.Connection]
		if t.Client == nil {
			var err error
			if t.Client, err = c.newClient(b, cfg.Agent, pools); err != nil {
				broken = append(broken, config.Broken{Backend: b, Faults: config.FieldErrors{clientFault(cfg, b, err)}})
				continue
			}
		}
		t.Source = t.Client
		targets = append(targets, t)
	}
	return targets, broken
}

// clientFault is the fault of the option for which no client can be made.
func clientFault(cfg *config.Config, b config.Backend, err error) *config.FieldError {
	e := &config.FieldError{Stanza: b.Stanza, Key: "san_ip", Err: err}
	if b.VerifyTLS && b.CAPath != "" {
		e.Key, e.Hint = "driver_ssl_cert_path", "Write the path of a PEM file that poolcast may read, or of a folder of them."
	}
	e.File, e.Line = cfg.Place(b.Stanza, e.Key)
	return e
}

// CollectorTargets are the targets that collector.Apply and collector.Once take.
func CollectorTargets(targets []Target) []collector.Target {
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
		History: history(b, a),
		Stanza: collector.Stanza{
			Protocol:                  b.Protocol,
			ReservedPercentage:        int64(b.ReservedPercentage),
			MaxOverSubscription:       RatioText(b.MaxOverSubscription),
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

// history are the limits of the class of load, if the agent keeps the last hour.
func history(b config.Backend, a config.Agent) *collector.ClassLimits {
	if !a.LoadHistory {
		return nil
	}
	return &collector.ClassLimits{Low: int64(b.LoadClassLimits.Low), High: int64(b.LoadClassLimits.High)}
}

func replicas(b config.Backend) []collector.Replica {
	out := make([]collector.Replica, len(b.Replication.Devices))
	for i, d := range b.Replication.Devices {
		out[i] = collector.Replica{BackendID: d.BackendID, Sync: d.Type == "sync"}
	}
	return out
}

// RatioText writes the ratio as the collector and Cinder's filters read it.
func RatioText(o config.OverSubscription) string {
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

func (c *Clients) newClient(b config.Backend, a config.Agent, pools map[string]*x509.CertPool) (*flasharray.Client, error) {
	token := newCredential(b.Credential)
	o := flasharray.Options{
		Address: b.Address.String(), Token: token.Token, TokenRefused: token.Refused,
		UserAgent: c.UserAgent,
		Verify:    b.VerifyTLS, CAPath: b.CAPath,
		Timeout: requestTimeout(a), IdleTimeout: idleTimeout,
	}
	if c.Simulation != nil {
		c.Simulation.redirect(&o, b.Address.Host)
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

// connection is a hash of everything that a client is made of, the certificates
// that it trusts and the contents of its token_file included. The token cannot be
// recovered from it.
func (c *Clients) connection(b config.Backend, a config.Agent) string {
	digest := sha256.New()
	_, _ = fmt.Fprintf(digest, "%q %q %q %q %t %q %s %t %s %s", b.Address, b.Credential.Token.Reveal(), b.Credential.File,
		b.Credential.Command, b.VerifyTLS, b.CAPath, requestTimeout(a), c.Simulation != nil,
		c.Hashes.Combined(b.CAPath), c.Hashes.Combined(b.Credential.File)) // a new token is tried at once
	return fmt.Sprintf("%x", digest.Sum(nil))
}
