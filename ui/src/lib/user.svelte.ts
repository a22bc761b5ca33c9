/* user.svelte.ts: who looks, and what they may see. The server decides; this only hides what it would refuse. */
import { get } from './api.svelte';

export interface User {
    userId: string;
    userName: string;
    roles?: string[];
    hideStats?: boolean;
    hideFiles?: boolean;
    hidePcap?: boolean;
    disablePcapDownload?: boolean;
    removeEnabled?: boolean;
    canUpload?: boolean;
    settings?: Record<string, unknown>;
    [more: string]: unknown;
}

class Me {
    user = $state.raw<User | null>(null);

    async load(): Promise<void> {
        try {
            this.user = await get<User>('user');
        } catch {
            this.user ??= null;
        }
    }
    may(right: string): boolean {
        const u = this.user;
        if (!u) {
            return right !== 'users' && right !== 'admin' && right !== 'upload';
        }
        switch (right) {
            case 'files':
                return !u.hideFiles;
            case 'stats':
                return !u.hideStats;
            case 'packets':
                return !u.hidePcap;
            case 'pcap':
                return !u.disablePcapDownload;
            case 'remove':
                return !!u.removeEnabled;
            case 'upload':
                return !!u.canUpload;
            case 'admin':
                return (u.roles ?? []).some((r) => r === 'superAdmin' || r === 'arkimeAdmin');
            case 'users':
                return (u.roles ?? []).some((r) => r === 'superAdmin' || r === 'usersAdmin');
            default:
                return true;
        }
    }
}

export const me = new Me();
