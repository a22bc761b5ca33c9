import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// SEINE_API names a running `seine serve` for `npm run dev`.
const api = process.env.SEINE_API ?? 'http://127.0.0.1:8005';

export default defineConfig({
    // Relative, so that the page also works below a base path.
    base: './',
    plugins: [svelte()],
    build: {
        target: 'es2021',
        modulePreload: { polyfill: false },
        // Data URLs and inline scripts are what the Content-Security-Policy refuses.
        assetsInlineLimit: 0,
        reportCompressedSize: false,
        chunkSizeWarningLimit: 1024,
    },
    server: { proxy: { '^(/[^/]+)?/api/': api } },
});
