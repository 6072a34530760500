// Package config reads cinder.conf: the very files that cinder-volume reads,
// with the meaning it gives them, so that an operator writes an array's
// address and token once. [Load] turns [Sources] into a [Config], or into every
// fault at once.
//
// # As Cinder reads it
//
// cinder.conf is not quite an INI file. oslo.config has rules of its own, and
// this package follows its source, oslo_config/iniparser.py and cfg.py:
//
//   - key = value or key: value, whichever sign comes first.
//   - A line that begins with a space or tab continues the value above it. A
//     blank line or a comment ends the value.
//   - A comment is a line of its own. What follows a value is part of it.
//   - One pair of quotes around a value is taken off.
//   - A section may come again; names are the same in any case, but [DEFAULT]
//     is only DEFAULT. Of a repeated key the last one counts, and every one of
//     replication_device.
//   - Files are read in the order of the command line, the *.conf of a folder
//     sorted by name. The environment, OS_SECTION__OPTION, wins over files.
//   - $name, ${name} and ${section.name} stand for other values, $$ for a $.
//
// And Cinder adds, in cinder/volume/configuration.py: a backend takes what its
// section does not say from [backend_defaults]; [DEFAULT] is not asked, except
// for filter_function and goodness_function. A value that is empty and a
// number is no value.
//
// All this is proven against the real oslo.config and Cinder's own option
// declarations by a test in the folder integration.
//
// # Where it is kinder than Cinder
//
// Published examples contain things that do not work with Cinder. They are
// repaired, each with a [Warning] that says what Cinder would read:
//
//   - A JSON object in extra_capabilities whose lines are not indented is
//     joined until its braces balance. It never runs into the next section or
//     the next key.
//   - " # comment" or " ; comment" after a value is taken off, but not inside
//     quotes, and not where no space stands before it. Names, zones and functions
//     (Option.KeepsComment) keep it, as in Cinder: another name would be about
//     another cloud. Only Sources.StripComments takes it off them too.
//   - enabled_backends is missing: every section with a Pure Storage driver is
//     taken.
//
// Several key = value pairs on one line are refused, with the line shown:
// nobody could tell what was meant.
//
// # What a fault costs
//
// As in cinder-volume, a fault in a backend's section, or in what it takes from
// [backend_defaults], leaves that backend out (Config.Broken) and no other. Every
// other fault refuses the configuration.
//
// # Where it is stricter
//
// A value that Cinder would only trip over later is refused at once: an
// extra_capabilities that is neither a JSON object nor false to Python, an
// over-subscription ratio below 1, an address with a scheme, a number that is left
// empty where no default steps in. A number must be finite; in extra_capabilities
// the key of one that is not is left out, with a warning. A $name that is
// not set anywhere is refused, as Cinder refuses a name it has no option for.
// In [poolcast] an unknown key is a fault. In the rest of the file it is no
// business of ours, unless it is nearly a key that we read.
//
// # Secrets
//
// Tokens and passwords are of type [Secret], which cannot be printed. FieldErrors
// and warnings show a value as it stands in the file only where it is not
// secret, and a line only up to the first key that is.
//
// # How it is made
//
// A scanner reads lines and remembers where each value came from, a layer keeps
// the sections and keys of a file, and a reader asks the layers in oslo.config's
// order. A library for INI files does not serve here: ini.v1 cuts values at " #"
// and ";", loses continuation lines, knows no line numbers, lets a section
// inherit from another, and its store takes time quadratic in the keys of a
// section. One table, [Options], holds name, type, default, range and help of
// every option: it drives the reading, the flags, the suggestions and the
// reference page. To read one more option, add a row and a line that asks for
// it.
package config
