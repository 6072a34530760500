package cloud

import (
	"os"
	"slices"

	"github.com/poolcast/poolcast/integration/process"
)

// Configure adds lines to every cinder.conf, which begin in [DEFAULT]. Agents reload
// theirs by themselves; the services of Cinder need a restart.
func (c *Cloud) Configure(lines ...string) {
	c.t.Helper()
	c.ConfigureScheduler(lines...)
	c.opts.Settings = append(slices.Clone(c.opts.Settings), lines...)
	for _, h := range c.hosts {
		h.writeConfig()
	}
}

// ConfigureScheduler adds lines to the cinder.conf of cinder-scheduler and cinder-api,
// which begin in [DEFAULT] and replace earlier ones of the same options. Restart the
// service that needs them.
func (c *Cloud) ConfigureScheduler(lines ...string) {
	c.t.Helper()
	text, err := os.ReadFile(c.ConfigFile())
	if err != nil {
		c.t.Fatalf("read cinder.conf of the cloud: %v", err)
	}
	c.write("cinder.conf", string(text)+lastSettings(lines))
}

// Restart stops services and starts them again, side by side.
func (c *Cloud) Restart(services ...*Service) {
	c.t.Helper()
	var restart []func(process.T)
	for _, s := range services {
		restart = append(restart, func(t process.T) { s.Stop(); s.start(t) })
	}
	process.Parallel(c.t, restart...)
}

// Upgrade stops all services of Cinder, updates the database, and starts them with the
// Cinder of another interpreter. The agents run on.
func (c *Cloud) Upgrade(python string) {
	c.t.Helper()
	var stop []func(process.T)
	for _, s := range c.cinderServices() {
		stop = append(stop, func(process.T) { s.Stop() })
	}
	process.Parallel(c.t, stop...)
	c.SetPython(python)
	process.Parallel(c.t, c.CinderAPI.start, c.Scheduler.start)
	var start []func(process.T)
	for _, h := range c.hosts {
		start = append(start, h.Volume.start)
	}
	process.Parallel(c.t, start...)
}

func (c *Cloud) cinderServices() []*Service {
	services := []*Service{c.CinderAPI, c.Scheduler}
	for _, h := range c.hosts {
		services = append(services, h.Volume)
	}
	return services
}
