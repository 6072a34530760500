package cloud

import "github.com/poolcast/poolcast/integration/process"

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
