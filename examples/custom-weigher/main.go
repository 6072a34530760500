// Custom-weigher reads what poolcast --dry-run prints and picks the array that writes fastest.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func fastestWrite(_ placement.Request, b *placement.Backend) (float64, error) {
	if usec, ok := b.Float(capability.KeyUsecPerWrite); ok {
		return -usec, nil
	}
	return -10_000, nil // what was not measured is not fast
}

func main() {
	var reports []capability.Report
	registry, err := cinder.Registry(cinder.Options{})
	try(err)
	try(json.NewDecoder(os.Stdin).Decode(&reports))
	try(registry.AddWeigher("FastestWriteWeigher", placement.WeigherFunc(fastestWrite).Factory()))
	engine, err := placement.New(registry, cinder.Profile(cinder.Options{Weighers: []string{"FastestWriteWeigher"}}))
	try(err)
	decision, err := engine.Decide(cinder.NewSnapshot(reports), &cinder.Request{Size: 100})
	try(err)
	fmt.Print(decision)
}

func try(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
