// Argo CD's controller, repo-server, API server and command line in one: it is the program it was started as.
package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	askpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	server "github.com/argoproj/argo-cd/v3/cmd/argocd-server/commands"
	cli "github.com/argoproj/argo-cd/v3/cmd/argocd/commands"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/util/grpc"
	"github.com/argoproj/argo-cd/v3/util/log"
)

func main() {
	klog.SetLogger(log.NewLogrusLogger(log.NewWithCurrentConfig()))
	grpc.DisableSRVLookups()
	servers := map[string]func() *cobra.Command{
		common.CommandServer:                server.NewCommand,
		common.CommandApplicationController: controller.NewCommand,
		common.CommandRepoServer:            reposerver.NewCommand,
	}
	name := filepath.Base(os.Args[0])
	if chosen := os.Getenv("ARGOCD_BINARY_NAME"); chosen != "" {
		name = chosen
	}
	if newServer, known := servers[name]; known {
		if newServer().Execute() != nil {
			os.Exit(1)
		}
		return
	}
	command := cli.NewCommand()
	if name == common.CommandGitAskPass {
		command = askpass.NewCommand()
	}
	command.SilenceErrors, command.SilenceUsage = true, true
	exit(command.Execute())
}

// exit reports a failed command as Argo CD's own program does.
func exit(failure error) {
	if failure == nil {
		return
	}
	message, err := cli.NewDefaultPluginHandler().HandleCommandExecutionError(failure, true, os.Args)
	if err == nil {
		return
	}
	os.Stdout.WriteString(message)
	var plugin *exec.ExitError
	if errors.As(err, &plugin) {
		os.Exit(plugin.ExitCode())
	}
	os.Exit(1)
}
