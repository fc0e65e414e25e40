import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Crosspod } from 'crosspod-client';
import { App } from './app.tsx';

const query = new URLSearchParams(location.search);
const client = new Crosspod(query.get('url') ?? 'ws://localhost:8080/ws', {
  userId: query.get('name') ?? 'guest',
});

createRoot(document.body.appendChild(document.createElement('div'))).render(
  <StrictMode>
    <App client={client} />
  </StrictMode>,
);
