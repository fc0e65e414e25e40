import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.DisconnectApi;
import org.openapitools.client.api.PublishApi;
import org.openapitools.client.api.RoomsApi;
import org.openapitools.client.model.Batch;
import org.openapitools.client.model.BatchResult;
import org.openapitools.client.model.Draft;
import org.openapitools.client.model.RoomDraft;

/** Calls a pod by the generated client and prints what a caller learns, a line each; URL and key are its arguments. */
public class Calls {
  public static void main(String[] args) throws Exception {
    ApiClient client = new ApiClient();
    client.updateBaseUri(args[0]);
    client.setRequestInterceptor(request -> request.header("X-API-Key", args[1]));
    PublishApi publish = new PublishApi(client);
    Batch batch = new Batch().messages(List.of(
        new RoomDraft().room("java").data(Map.of("n", 1)),
        new RoomDraft().room("-")));
    for (BatchResult result : publish.postBatch(batch, null).getResults()) {
      System.out.println(result.getId() != null ? "published" : "refused " + result.getCode());
    }
    System.out.println("room " + publish.postMessage("java", new Draft().event("said").data("hi"), "key").getRoom());
    System.out.println("messages " + new RoomsApi(client).getHistory("java", null, 10).getMessages().size());
    System.out.println("disconnected " + new DisconnectApi(client).disconnectUser("nobody", null).getStatus().getValue());
    try {
      publish.postMessage("-", new Draft(), null);
    } catch (ApiException error) {
      System.out.println("status " + error.getCode());
    }
  }
}
