// Calls a pod by the generated client and prints what a caller learns, a line each; URL and key are its arguments.
package main

import (
	"context"
	"fmt"
	"os"

	openapi "github.com/GIT_USER_ID/GIT_REPO_ID"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	configuration := openapi.NewConfiguration()
	configuration.Servers = openapi.ServerConfigurations{{URL: os.Args[1]}}
	client := openapi.NewAPIClient(configuration)
	keys := map[string]openapi.APIKey{"apiKey": {Key: os.Args[2]}}
	ctx := context.WithValue(context.Background(), openapi.ContextAPIKeys, keys)

	first := openapi.NewRoomDraft("go")
	first.SetData(map[string]any{"n": 1})
	batch := openapi.NewBatch([]openapi.RoomDraft{*first, *openapi.NewRoomDraft("-")})
	results, _, err := client.PublishAPI.PostBatch(ctx).Batch(*batch).Execute()
	check(err)
	for _, result := range results.GetResults() {
		if result.HasId() {
			fmt.Println("published")
		} else {
			fmt.Println("refused", result.GetCode())
		}
	}
	draft := openapi.NewDraft()
	draft.SetEvent("said")
	draft.SetData("hi")
	published, _, err := client.PublishAPI.PostMessage(ctx, "go").Draft(*draft).IdempotencyKey("key").Execute()
	check(err)
	fmt.Println("room", published.GetRoom())
	history, _, err := client.RoomsAPI.GetHistory(ctx, "go").Limit(10).Execute()
	check(err)
	fmt.Println("messages", len(history.GetMessages()))
	done, _, err := client.DisconnectAPI.DisconnectUser(ctx, "nobody").Execute()
	check(err)
	fmt.Println("disconnected", done.GetStatus())
	_, response, _ := client.PublishAPI.PostMessage(ctx, "-").Draft(*openapi.NewDraft()).Execute()
	fmt.Println("status", response.StatusCode)
}
