// Command index-reader reads a repository index by the rules of another client and prints the versions it
// would see as JSON: `index-reader artifacthub|flux|argo|rancher FILE [KUBERNETES-VERSION]`.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 3 || readers[os.Args[1]] == nil {
		fail("usage: index-reader artifacthub|flux|argo|rancher FILE [KUBERNETES-VERSION]")
	}
	kubernetes := "1.31.0"
	if len(os.Args) > 3 {
		kubernetes = os.Args[3]
	}
	body, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail(err)
	}
	rows, err := readers[os.Args[1]](body, kubernetes)
	if err != nil {
		fail(err)
	}
	sum := sha256.Sum256(body)
	answer := map[string]any{"revision": hex.EncodeToString(sum[:]), "rows": rows}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail(err)
	}
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, "index-reader:", reason)
	os.Exit(1)
}
