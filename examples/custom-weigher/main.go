// Custom-weigher picks the array that writes fastest, from what poolcast --dry-run prints.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func fastest(_ placement.Request, b *placement.Backend) (float64, error) {
	if usec, ok := b.Float(capability.KeyUsecPerWrite); ok {
		return -usec, nil
	}
	return -10_000, nil // an array without a measurement is not fast
}

func main() {
	var reports []capability.Report
	engine, err := cinder.NewEngine(cinder.Options{Weighers: []string{"FastestWrite"}},
		placement.WithWeigher("FastestWrite", placement.WeigherFunc(fastest)))
	if err := errors.Join(err, json.NewDecoder(os.Stdin).Decode(&reports)); err != nil {
		log.Fatal(err)
	}
	decision, err := engine.Decide(reports, cinder.Request{Size: 100})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(decision)
}
