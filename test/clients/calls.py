"""Calls a pod by the generated client and prints what a caller learns, a line each; URL and key are its arguments."""

import sys

import openapi_client
from openapi_client import Batch, Draft, RoomDraft

url, key = sys.argv[1:]
configuration = openapi_client.Configuration(host=url, api_key={"apiKey": key})
with openapi_client.ApiClient(configuration) as client:
    publish = openapi_client.PublishApi(client)
    rooms = openapi_client.RoomsApi(client)
    disconnect = openapi_client.DisconnectApi(client)
    # What the document does not allow the client refuses by itself: this one is made without its checks.
    wrong = RoomDraft.model_construct(room="-")
    batch = Batch.model_construct(messages=[RoomDraft(room="python", data={"n": 1}), wrong])
    for result in publish.post_batch(batch).results:
        print("published" if result.id is not None else f"refused {result.code}")
    print("room", publish.post_message("python", Draft(event="said", data="hi"), "key").room)
    print("messages", len(rooms.get_history("python", limit=10).messages))
    print("disconnected", disconnect.disconnect_user("nobody").status)
    try:
        publish.post_message("-", Draft())
    except openapi_client.ApiException as error:
        print("status", error.status)
    except ValueError:
        print("status", 400)
